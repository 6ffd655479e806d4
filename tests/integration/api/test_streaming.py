"""Uploads over a real connection: refused while they arrive, and given up halfway."""

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.calls import assert_nothing_left, uploaded
from tests.support.server import serving
from tests.support.waiting import until_true

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7\n'
FORM = "multipart/form-data; boundary=b"
PIECE = b"x" * 65_536


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """A server that takes files of a mebibyte at the most."""
    with serving(msgspec.structs.replace(settings, upload_max_size_mb=1)) as server:
        yield server.url


class Wire:
    """A connection on which a test writes HTTP by itself."""

    def __init__(self, address: str, headers: httpx.Headers, *more: str) -> None:
        parts = urlsplit(address)
        self._socket = socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20)
        lines = ["POST /v1/documents/ HTTP/1.1", "Host: refinery", f"Authorization: {headers['authorization']}", *more]
        self._socket.sendall("\r\n".join([*lines, f"Content-Type: {FORM}", "", ""]).encode())

    def send_chunk(self, data: bytes) -> None:
        """Send a chunk of a body of unknown length."""
        self._socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def send(self, data: bytes) -> None:
        """Send a piece of a body."""
        self._socket.sendall(data)

    def answered(self) -> bool:
        """Whether some of the answer has come."""
        self._socket.setblocking(False)
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            self._socket.settimeout(20)

    def answer(self) -> str:
        """Return the answer, whose body is a JSON object."""
        answer = b""
        while not answer.rstrip().endswith(b"}"):
            piece = self._socket.recv(65_536)
            assert piece, answer
            answer += piece
        return answer.decode()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


async def test_declared_length_over_the_limit_is_refused_before_a_byte_is_sent(
    address: str, client: httpx.AsyncClient
) -> None:
    wire = Wire(address, client.headers, f"Content-Length: {10 * 1024**3}")
    answer = await asyncio.to_thread(wire.answer)
    wire.close()
    assert answer.startswith("HTTP/1.1 413")
    assert "FILE_TOO_LARGE" in answer


@pytest.mark.parametrize("chunked", [True, False])
async def test_body_over_the_limit_is_refused_while_it_arrives(
    address: str, client: httpx.AsyncClient, db: Database, settings: Settings, chunked: bool
) -> None:
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {2 * 1024**2}"
    wire = Wire(address, client.headers, length)
    send = wire.send_chunk if chunked else wire.send
    send(HEAD)
    for _ in range(17):  # one piece more than a mebibyte, and not the end of the body
        send(PIECE)
    answer = await asyncio.to_thread(wire.answer)
    wire.close()
    assert answer.startswith("HTTP/1.1 413")
    assert "FILE_TOO_LARGE" in answer
    await assert_nothing_left(db, settings)


async def test_what_is_no_pdf_is_refused_after_its_first_kilobyte(
    address: str, client: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    wire = Wire(address, client.headers, "Transfer-Encoding: chunked")
    wire.send_chunk(HEAD.replace(b"%PDF", b"%TXT") + b"x" * 2000)
    answer = await asyncio.to_thread(wire.answer)
    wire.close()
    assert answer.startswith("HTTP/1.1 415")
    await assert_nothing_left(db, settings)


async def test_nothing_is_answered_while_all_is_well(address: str, client: httpx.AsyncClient) -> None:
    wire = Wire(address, client.headers, "Transfer-Encoding: chunked")
    wire.send_chunk(HEAD)
    wire.send_chunk(PIECE)
    assert not wire.answered()
    wire.send_chunk(b"\r\n--b--\r\n")
    wire.send(b"0\r\n\r\n")
    answer = await asyncio.to_thread(wire.answer)
    wire.close()
    assert answer.startswith("HTTP/1.1 201")


async def test_client_that_hangs_up_leaves_nothing(
    address: str, client: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    wire = Wire(address, client.headers, "Transfer-Encoding: chunked")
    wire.send_chunk(HEAD)
    wire.send_chunk(PIECE)

    async def arriving() -> bool:
        return bool(await db.fetch("SELECT FROM unreferenced_blobs"))

    async def forgotten() -> bool:
        return not await arriving()

    await until_true(arriving)
    wire.close()
    await until_true(forgotten)
    await assert_nothing_left(db, settings)
    await uploaded(client)


async def test_problem_on_head_has_no_body(address: str, client: httpx.AsyncClient) -> None:
    async with httpx.AsyncClient(base_url=address, headers=client.headers) as remote:
        for _ in range(2):  # the connection stays usable
            refused = await remote.head("/v1/artifacts/1/")
            assert (refused.status_code, refused.content) == (404, b"")
