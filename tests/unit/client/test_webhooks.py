"""Receivers: what the service signs is taken as what it is, and nothing else is."""

import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from standardwebhooks import Webhook

from docrefinery.client import InvalidSignature, JobEvent, OtherEvent, PingEvent, verify_webhook
from docrefinery.services import events
from docrefinery.services.webhooks import signing

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "supersecret")
AT = datetime(2027, 1, 2, tzinfo=UTC)
CHANGE = events.JobEvent(
    event="job.updated",
    job_id=123,
    job_uuid=UUID(int=1),
    document_id=456,
    external_uuid=None,
    status="SUCCEEDED",
    stage="FINALIZING",
    previous_status="RUNNING",
    previous_stage="FINALIZING",
    error_code="",
    error_message="",
    error_details=None,
    queued_at=AT,
    started_at=AT,
    finished_at=AT,
    created_at=AT,
    modified_at=AT,
    sequence=5,
    attempt=1,
)
PING = events.PingEvent(event="ping", webhook_id=7, webhook_uuid=UUID(int=7), created_at=AT)


def signed(body: bytes, secret: str, timestamp: float | None = None) -> dict[str, str]:
    at = int(time.time() if timestamp is None else timestamp)
    return signing.headers(body, event="job.updated", delivery=uuid4(), timestamp=at, secret=secret)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("scheme", ["both", "guide"])
def test_each_event_comes_as_its_type(secret: str, scheme: str) -> None:
    def received(body: bytes) -> object:
        headers = signed(body, secret)
        kept = {n: v for n, v in headers.items() if scheme == "both" or not n.lower().startswith("webhook-")}
        return verify_webhook(body, kept, secret)

    change, ping, other = received(CHANGE.encode()), received(PING.encode()), received(b'{"event":"job.born","x":1}')
    assert isinstance(change, JobEvent)
    assert msgspec.to_builtins(change) == msgspec.to_builtins(CHANGE)
    assert isinstance(ping, PingEvent)
    assert (ping.webhook_id, ping.created_at) == (7, AT)
    assert other == OtherEvent(event="job.born", body={"event": "job.born", "x": 1})


def test_what_somebody_elses_library_signs_is_taken_also_among_several_signatures() -> None:
    body, now = CHANGE.encode(), datetime.now(UTC)
    signature = Webhook(SECRETS[0]).sign("msg_1", now, body.decode())
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": f"v1,AAAA {signature} v1a,BBBB",
    }
    assert isinstance(verify_webhook(body, headers, SECRETS[0]), JobEvent)
    with pytest.raises(InvalidSignature):
        verify_webhook(body + b" ", headers, SECRETS[0])


def test_what_is_old_not_signed_or_no_event_is_refused() -> None:
    body = CHANGE.encode()
    old = signed(body, SECRETS[0], time.time() - 301)
    with pytest.raises(InvalidSignature, match="away from"):
        verify_webhook(body, old, SECRETS[0])
    assert isinstance(verify_webhook(body, old, SECRETS[0], tolerance=None), JobEvent)
    with pytest.raises(InvalidSignature, match="no signature"):
        verify_webhook(body, {}, SECRETS[0])
    with pytest.raises(InvalidSignature):
        verify_webhook(body, signed(body, SECRETS[1]), SECRETS[0])
    strange = b'{"event":"job.updated","job_id":"x"}'
    with pytest.raises(InvalidSignature, match="cannot be read"):
        verify_webhook(strange, signed(strange, SECRETS[0]), SECRETS[0])
