"""Webhooks from a job in real processes to a receiver."""

import json
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from standardwebhooks import Webhook

from tests.e2e.conftest import Start
from tests.support.hooks import SECRET
from tests.support.pdfs import born_digital, slow
from tests.support.processes import ended, environment, wait_until
from tests.support.receivers import Server, answers, hangs, receiving
from tests.support.refinery import Client, Refinery, fresh
from tests.support.told import assert_all_told, streamed, told

EXAMPLES = Path(__file__).parents[2] / "examples"
LOOPBACK = "127.0.0.0/8"


@pytest.fixture(scope="module")
def own(make_shared: Start) -> Refinery:
    """One that may send to this machine, and tries again soon."""
    return make_shared(
        "webhooks",
        workers=2,
        DOCREFINERY_WEBHOOK_ALLOW_NETS=LOOPBACK,
        DOCREFINERY_WEBHOOK_RETRY_DELAYS="0,0.2,0.2,0.5,1,2,5,5,5",
        DOCREFINERY_SWEEP_SECONDS="0.3",
        DOCREFINERY_LEASE_SECONDS="3",
    ).start()


@pytest.fixture
def receiver() -> Iterator[Server]:
    """A receiver that answers 200 unless told otherwise."""
    with receiving() as server:
        yield server


@contextmanager
def registered(client: Client, url: str, secret: str | None = SECRET) -> Iterator[str]:
    """Register an endpoint for a test, and yield its path."""
    answer = client.post("/v1/webhooks/", json={"name": "test", "url": url, "secret": secret})
    assert answer.status_code == 201, answer.text
    path = f"/v1/webhooks/{answer.json()['id']}/"
    yield path
    assert client.delete(path).status_code == 204


def canceled_job(client: Client) -> int:
    """Make a job of which nothing but its cancel is told."""
    document = client.post("/v1/documents/", files={"file": ("a.pdf", fresh(slow(30)))}).json()["id"]
    job_id: int = client.post("/v1/jobs/", json={"document_id": document}).json()["id"]
    client.post(f"/v1/jobs/{job_id}/cancel/")
    client.finished(job_id)
    return job_id


def test_every_change_of_a_job_arrives_in_order_though_the_receiver_fails_twice_first(
    own: Refinery, receiver: Server
) -> None:
    receiver.script = [answers(500), answers(503)]
    with registered(own.client, receiver.url) as path:
        job_id = own.client.submit(fresh(born_digital(2)), options_json='{"exports": ["text", "chunks_json"]}')[
            "job_id"
        ]
        own.client.finished(job_id)
        assert_all_told(own.client, receiver, job_id)
        first = receiver.received[:3]
        assert len({(r.body, r.headers["webhook-id"]) for r in first}) == 1
        changes = [(event["status"], event["stage"]) for event in receiver.events[2:]]
        assert changes == [
            ("RUNNING", "SCANNING"),
            ("RUNNING", "CONVERTING"),
            ("RUNNING", "EXPORTING"),
            ("RUNNING", "CHUNKING"),
            ("RUNNING", "FINALIZING"),
            ("SUCCEEDED", "FINALIZING"),
        ]

        def log() -> list[tuple[str, int]]:
            lines = own.client.get(f"{path}deliveries/").json()["results"]
            return [(line["status"], line["attempts"]) for line in lines]

        # The receiver has the last one a moment before the log says so.
        wait_until(lambda: log() == [("DELIVERED", 1)] * 5 + [("DELIVERED", 3)], 10, f"all is told: {log()}")


def test_events_are_sent_at_once_while_the_only_worker_converts(make: Start, receiver: Server) -> None:
    # No sweep comes to help within the time of this test.
    busy = make(workers=1, DOCREFINERY_WEBHOOK_ALLOW_NETS=LOOPBACK, DOCREFINERY_SWEEP_SECONDS="600").start()
    with registered(busy.client, receiver.url):
        long = busy.client.submit(fresh(slow(30)))["job_id"]
        busy.client.running(long)
        waiting = busy.client.submit(fresh(born_digital()))["job_id"]
        assert busy.client.post(f"/v1/jobs/{waiting}/cancel/").status_code == 200
        seconds = wait_until(lambda: told(receiver, waiting), 5, "the cancel is told")
        assert busy.client.job(long)["status"] == "RUNNING"
        assert seconds < 2
        busy.client.post(f"/v1/jobs/{long}/cancel/")
        busy.client.finished(long)
        assert_all_told(busy.client, receiver, long)
    key_file = busy.data_dir / "secret-keys"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    for secret in (SECRET, key_file.read_text().strip()):
        assert secret not in busy.log.read_text() + busy.out.read_text()


def test_worker_killed_between_the_commit_and_the_delivery_loses_no_event(own: Refinery, receiver: Server) -> None:
    with registered(own.client, receiver.url):
        document = own.client.post("/v1/documents/", files={"file": ("a.pdf", fresh(born_digital()))}).json()["id"]
        workers = own.workers
        for worker in workers:
            worker.send_signal(signal.SIGSTOP)
        job_id = own.client.post("/v1/jobs/", json={"document_id": document}).json()["id"]
        assert own.client.post(f"/v1/jobs/{job_id}/cancel/").status_code == 200
        assert len(streamed(own.client, job_id)) == 1
        for worker in workers:
            worker.kill()
        wait_until(lambda: all(map(ended, workers)), 5, "the workers end")
        assert receiver.received == []
        assert_all_told(own.client, receiver, job_id, 30)


def test_worker_killed_during_an_attempt_loses_no_event(own: Refinery, receiver: Server) -> None:
    receiver.script = [hangs]
    with registered(own.client, receiver.url):
        job_id = own.client.submit(fresh(born_digital()))["job_id"]
        own.client.finished(job_id)
        wait_until(lambda: receiver.received, 10, "the first attempt is under way")
        for worker in own.workers:
            worker.kill()
        # The lease of the attempt has to run out first.
        assert_all_told(own.client, receiver, job_id, 45)


@pytest.mark.parametrize("part", ["valkey-server", "postgres"])
def test_killed_broker_or_database_loses_no_event(own: Refinery, receiver: Server, part: str) -> None:
    receiver.otherwise = answers(500)
    with registered(own.client, receiver.url):
        job_id = canceled_job(own.client)
        wait_until(lambda: receiver.received, 10, "an attempt was made")
        oldest: psutil.Process = min(own.processes(part), key=lambda process: process.create_time())
        oldest.kill()
        receiver.otherwise = answers(200)
        # That it is ready may be from before it noticed.
        wait_until(lambda: streamed(own.client, job_id), 20, "the service answers again")
        assert_all_told(own.client, receiver, job_id, 30)


def test_secrets_outlive_a_restart(make: Start, receiver: Server) -> None:
    own = make(DOCREFINERY_WEBHOOK_ALLOW_NETS=LOOPBACK).start()
    answer = own.client.post("/v1/webhooks/", json={"name": "test", "url": receiver.url, "secret": SECRET})
    path = f"/v1/webhooks/{answer.json()['id']}/"
    own.stop()
    own.start()
    assert own.client.post(f"{path}ping/").status_code == 202
    wait_until(lambda: receiver.received, 10, "the ping arrives")
    [received] = receiver.received
    assert Webhook(SECRET).verify(received.body, received.headers)["event"] == "ping"


@contextmanager
def example(script: Path, log: Path) -> Iterator[tuple[int, Path]]:
    """Run a receiver of the examples; yields its port and what it prints."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, script, "0"], env=environment(WEBHOOK_SECRET=SECRET), stdout=out, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            wait_until(lambda: "Listening on port" in log.read_text(), 20, "the receiver listens")
            found = re.search(r"Listening on port (\d+)", log.read_text())
            assert found is not None
            yield int(found[1]), log
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("script", "path"),
    [("webhook_receiver.py", "/"), ("webhook-receiver-django/receiver.py", "/webhooks/docrefinery")],
)
def test_receiver_of_the_examples_believes_us_and_nobody_else(
    own: Refinery, tmp_path: Path, script: str, path: str
) -> None:
    with example(EXAMPLES / script, tmp_path / "receiver.log") as (port, log):
        url = f"http://127.0.0.1:{port}{path}"
        with registered(own.client, url) as hook:
            job_id = own.client.submit(fresh(born_digital()))["job_id"]
            own.client.finished(job_id)
            wait_until(lambda: f"{job_id} SUCCEEDED FINALIZING" in log.read_text(), 20, "the end is told")
            lines = re.findall(rf"^{job_id} (\w+ \w+)$", log.read_text(), re.MULTILINE)
            expected: list[dict[str, Any]] = [json.loads(text) for text in streamed(own.client, job_id)]
            assert lines == [f"{event['status']} {event['stage']}" for event in expected]

            def answered() -> set[int | None]:
                deliveries = own.client.get(f"{hook}deliveries/").json()["results"]
                return {delivery["response_status"] for delivery in deliveries}

            wait_until(lambda: answered() <= {204}, 10, f"everything is taken: {answered()}")
        body = b'{"event": "job.updated", "job_id": 666, "status": "SUCCEEDED", "stage": "FINALIZING"}'
        for headers in ({}, {"X-DocRefinery-Signature": f"sha256={'0' * 64}", "X-DocRefinery-Delivery": "x"}):
            forged = httpx.post(url, content=body, headers=headers, trust_env=False)
            assert forged.status_code == 401
        assert "666" not in log.read_text()
