"""What a receiver of webhooks was told of a job, against what the job's stream of events tells."""

import re

from standardwebhooks import Webhook

from tests.support.hooks import SECRET
from tests.support.processes import wait_until
from tests.support.receivers import Server
from tests.support.refinery import Client


def streamed(client: Client, job_id: int) -> list[str]:
    """Return all events of a finished job, as the stream tells them."""
    text = client.get(f"/v1/jobs/{job_id}/events/").text
    return re.findall(r"^data: (.*?)\r?$", text, re.MULTILINE)


def told(receiver: Server, job_id: int) -> list[str]:
    """Return the bodies about a job that came, repetitions left out."""
    return list(dict.fromkeys(r.body.decode() for r in receiver.received if r.event["job_id"] == job_id))


def assert_all_told(client: Client, receiver: Server, job_id: int, seconds: float = 20) -> None:
    """Fail unless every event of a finished job arrives in order, rightly signed."""
    expected = streamed(client, job_id)
    assert len(expected) >= 1
    wait_until(lambda: len(told(receiver, job_id)) >= len(expected), seconds, "every event arrives")
    assert told(receiver, job_id) == expected
    for received in receiver.received:
        assert Webhook(SECRET).verify(received.body, received.headers) == received.event
