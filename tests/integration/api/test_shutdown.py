"""An API that is told to stop: what waits is answered, streams end, what is in flight is finished."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from docrefinery.settings import Settings
from tests.support.api import running
from tests.support.calls import a_pdf
from tests.support.processes import wait_until
from tests.support.server import Serving, serving

LIMIT_SECONDS = 10


@pytest.fixture
def key(settings: Settings) -> str:
    async def made() -> str:
        async with running(settings) as api, await api.client() as client:
            return client.headers["authorization"]

    return asyncio.run(made())


@contextmanager
def asking(server: Serving, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": key}, timeout=40, trust_env=False) as client:
        yield client


def queued(client: httpx.Client) -> int:
    answer = client.post("/v1/documents/", files={"file": ("a.pdf", a_pdf())}, data={"ingest": "true"})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["job_id"])


def test_held_answer_is_given_as_it_is_when_the_api_stops(settings: Settings, key: str) -> None:
    with serving(settings) as server, asking(server, key) as client:
        job_id = queued(client)
        answers: list[httpx.Response] = []
        ask = threading.Thread(target=lambda: answers.append(client.get(f"/v1/jobs/{job_id}/", params={"wait": 30})))
        ask.start()
        wait_until(lambda: server.waiting(job_id), LIMIT_SECONDS)
        server.stop()
        ask.join(LIMIT_SECONDS)
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "QUEUED")]


def test_stream_of_events_ends_in_order_when_the_api_stops_and_is_taken_up_by_the_next(
    settings: Settings, key: str
) -> None:
    with serving(settings) as server, asking(server, key) as client:
        job_id = queued(client)
        with client.stream("GET", f"/v1/jobs/{job_id}/events/") as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith(":")
            wait_until(lambda: server.waiting(job_id), LIMIT_SECONDS)
            server.stop()
            # A connection that is cut instead raises here.
            assert not [line for line in lines if line.startswith("data")]
    with serving(settings) as server, asking(server, key) as client:
        client.post(f"/v1/jobs/{job_id}/cancel/")
        assert "CANCELED" in client.get(f"/v1/jobs/{job_id}/events/", headers={"Last-Event-ID": "0"}).text


def test_upload_in_flight_is_finished_and_nobody_else_is_let_in(settings: Settings, key: str) -> None:
    with serving(settings, grace_seconds=LIMIT_SECONDS) as server, asking(server, key) as client:
        arrived, stopping = threading.Event(), threading.Event()
        content = a_pdf()

        def body() -> Iterator[bytes]:
            yield b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
            yield content[:500]
            arrived.set()
            assert stopping.wait(LIMIT_SECONDS)
            yield content[500:] + b"\r\n--limit--\r\n"

        answers: list[httpx.Response] = []
        headers = {"Content-Type": "multipart/form-data; boundary=limit"}
        post = threading.Thread(
            target=lambda: answers.append(client.post("/v1/documents/", content=body(), headers=headers))
        )
        post.start()
        assert arrived.wait(LIMIT_SECONDS)
        server.stop()
        place = urlsplit(server.url)
        wait_until(lambda: refused(place.hostname or "", place.port or 0), LIMIT_SECONDS, "it accepts nobody")
        stopping.set()
        post.join(LIMIT_SECONDS)
    assert [answer.status_code for answer in answers] == [201], answers


def refused(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except ConnectionRefusedError:
        return True
    return False
