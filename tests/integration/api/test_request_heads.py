"""Requests whose head is too long or no HTTP at all, sent byte by byte."""

import json
import socket
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from docrefinery.settings import Settings
from tests.support.server import serving

CHUNK = b"a" * 60_000


@pytest.fixture
def server(settings: Settings) -> Iterator[str]:
    with serving(settings) as server:
        yield server.url


def sent(url: str, head: bytes, then: Iterable[bytes] = ()) -> tuple[int, dict[str, object], int]:
    """Send bytes until the server has had enough; return its status, its problem, and how much it took."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=10) as connection:
        connection.sendall(head)
        taken = len(head)
        try:
            for piece in then:
                connection.sendall(piece)
                taken += len(piece)
        except OSError:
            pass
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    top, _, body = answer.partition(b"\r\n\r\n")
    return (int(top.split()[1]) if top else 0), (json.loads(body) if body else {}), taken


def test_header_without_an_end_is_refused_early(server: str) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: "
    status, _, taken = sent(server, head, (CHUNK for _ in range(1000)))
    # The answer may get lost to a client that goes on sending; the connection ends in any case.
    assert status in (431, 0)
    assert taken < 1000 * len(CHUNK)


def test_headers_over_the_bound_are_refused_in_the_apis_own_shape(server: str) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000
    status, problem, _ = sent(server, head)
    assert (status, problem["error_code"]) == (431, "INVALID_REQUEST")
    assert problem["request_id"]


def test_what_is_no_http_is_refused_in_the_apis_own_shape(server: str) -> None:
    status, problem, _ = sent(server, b"GARBAGE\r\n\r\n")
    assert (status, problem["error_code"]) == (400, "INVALID_REQUEST")


def test_bodies_and_pipelined_requests_do_not_count(server: str) -> None:
    with httpx.Client(base_url=server, trust_env=False) as client:
        for _ in range(3):
            assert client.post("/v1/jobs/", content=b"x" * 200_000).status_code == 401
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 500 + b"\r\n\r\n"
    parts = urlsplit(server)
    with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=10) as connection:
        connection.sendall(one * 300)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 300:
            piece = connection.recv(65536)
            assert piece, "the server ended the connection"
            answers += piece
