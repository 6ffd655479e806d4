"""What the API needs of memory, and what it never loads."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.e2e.conftest import Start
from tests.support.processes import environment, wait_until
from tests.support.refinery import Refinery

MEBI = 1024 * 1024
LIMIT = 50 * MEBI
GROWTH = 32 * MEBI
HEAVY = ("docling", "docling_core", "docling_parse", "torch", "numpy", "pandas", "pypdfium2", "onnxruntime", "yara_x")


class Peak:
    """The most memory that a process has had since it was first looked at."""

    def __init__(self, process: psutil.Process) -> None:
        self.before = self.bytes = process.memory_info().rss
        self._process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._done.wait(0.002):
            self.bytes = max(self.bytes, self._process.memory_info().rss)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look while the block runs."""
        self._thread.start()
        try:
            yield
        finally:
            self._done.set()
            self._thread.join()

    @property
    def growth(self) -> int:
        """Bytes above the beginning."""
        return self.bytes - self.before


def file_of(size: int, seed: int = 0) -> Iterator[bytes]:
    """Yield a file of so many bytes that starts as a PDF does."""
    piece = bytes(os.urandom(65536))
    head = b"%PDF-1.7\n%" + str(seed).encode() + b"\n"
    yield head
    sent = len(head)
    while sent < size:
        piece_now = piece[: size - sent]
        yield piece_now
        sent += len(piece_now)


def form(size: int, *, trailer: bool = True) -> Iterator[bytes]:
    """Yield a multipart body with such a file; httpx sends an iterator chunk by chunk, with chunked encoding."""
    yield b'--limit\r\nContent-Disposition: form-data; name="file"; filename="big.pdf"\r\n'
    yield b"Content-Type: application/pdf\r\n\r\n"
    yield from file_of(size)
    if trailer:
        yield b"\r\n--limit--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=limit"}


class Uploaded(NamedTuple):
    """One that has a document of the largest size, and the upload as it went."""

    refinery: Refinery
    answer: httpx.Response
    peak: Peak


def upload_to(refinery: Refinery) -> Uploaded:
    """Upload to an API that has served nobody yet."""
    refinery.start().client.get("/v1/documents/")
    peak = Peak(refinery.api)
    with peak.watched():
        answer = refinery.client.post("/v1/documents/", content=form(LIMIT), headers=FORM)
    assert answer.status_code == 201, answer.text
    return Uploaded(refinery, answer, peak)


@pytest.fixture(scope="module")
def uploaded(make_shared: Start) -> Uploaded:
    """Upload a file that is stored as it is."""
    return upload_to(make_shared("memory"))


@pytest.fixture
def own(uploaded: Uploaded) -> Refinery:
    """The one that has the document."""
    return uploaded.refinery


@pytest.fixture
def rested(own: Refinery) -> Refinery:
    """The same, started again: memory that an API once had would hide what it takes now."""
    own.stop()
    own.start().client.get("/v1/documents/")
    return own


def test_fifty_megabytes_up_leave_the_apis_memory_flat(uploaded: Uploaded) -> None:
    assert uploaded.answer.json()["size_bytes"] == LIMIT
    assert uploaded.peak.growth < GROWTH, f"{uploaded.peak.growth / MEBI:.1f} MiB"


def test_fifty_megabytes_down_leave_the_apis_memory_flat(uploaded: Uploaded, rested: Refinery) -> None:
    down = Peak(rested.api)
    with (
        down.watched(),
        rested.client.stream("GET", f"/v1/documents/{uploaded.answer.json()['id']}/file/") as answer,
    ):
        received = sum(map(len, answer.iter_bytes()))
    assert received == LIMIT
    assert down.growth < GROWTH, f"{down.growth / MEBI:.1f} MiB"


def test_encryption_leaves_the_apis_memory_as_flat(make: Start) -> None:
    up = upload_to(make(DOCREFINERY_ENCRYPT="on"))
    assert up.answer.json()["size_bytes"] == LIMIT
    assert up.peak.growth < GROWTH, f"{up.peak.growth / MEBI:.1f} MiB"
    [blob] = up.refinery.blobs("/documents/")
    assert blob.stat().st_size > LIMIT
    up.refinery.stop()
    up.refinery.start().client.get("/v1/documents/")
    down = Peak(up.refinery.api)
    with (
        down.watched(),
        up.refinery.client.stream("GET", f"/v1/documents/{up.answer.json()['id']}/file/") as answer,
    ):
        received = sum(map(len, answer.iter_bytes()))
    assert received == LIMIT
    assert down.growth < GROWTH, f"{down.growth / MEBI:.1f} MiB"


def test_a_download_that_nobody_reads_is_not_gathered_in_memory(uploaded: Uploaded, rested: Refinery) -> None:
    url, path = urlsplit(rested.url), f"/v1/documents/{uploaded.answer.json()['id']}/file/"
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Api-Key {rested.key}\r\n\r\n"
    stalled = Peak(rested.api)
    with stalled.watched(), socket.create_connection((str(url.hostname), url.port or 0)) as connection:
        connection.sendall(request.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        # Meanwhile others are served.
        for _ in range(50):
            rested.client.get("/v1/documents/")
    assert stalled.growth < GROWTH, f"{stalled.growth / MEBI:.1f} MiB"


def test_one_byte_too_many_is_refused(own: Refinery) -> None:
    refused = own.client.post("/v1/documents/", content=form(LIMIT + 1), headers=FORM)
    assert (refused.status_code, refused.json()["error_code"]) == (413, "FILE_TOO_LARGE")
    assert own.blobs("/documents/") == [path for path in own.blobs("/documents/") if path.stat().st_size == LIMIT]


def test_a_file_without_end_is_refused_while_it_arrives(rested: Refinery) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for piece in form(500 * MEBI):
            sent += len(piece)
            yield piece

    growing = Peak(rested.api)
    with growing.watched():
        try:
            refused = rested.client.post("/v1/documents/", content=body(), headers=FORM)
        except httpx.WriteError:
            pass  # The connection was closed while the client was still sending.
        else:
            assert (refused.status_code, refused.json()["error_code"]) == (413, "FILE_TOO_LARGE")
    # Some megabytes are in the buffers of both ends.
    assert sent < LIMIT + 32 * MEBI
    assert growing.growth < GROWTH


def test_the_refusal_reaches_a_client_that_goes_on_sending(own: Refinery) -> None:
    url = urlsplit(own.url)
    head = (
        f"POST /v1/documents/ HTTP/1.1\r\nHost: x\r\nAuthorization: Api-Key {own.key}\r\n"
        f"Content-Type: {FORM['Content-Type']}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=20) as connection:
        connection.sendall(head.encode())
        for piece in form(LIMIT + 2 * MEBI, trailer=False):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_declared_length_over_the_limit_is_refused_before_the_body(own: Refinery) -> None:
    url = urlsplit(own.url)
    head = (
        f"POST /v1/documents/ HTTP/1.1\r\nHost: x\r\nAuthorization: Api-Key {own.key}\r\n"
        f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: {500 * MEBI}\r\n\r\n"
    )
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_an_upload_that_breaks_off_leaves_nothing(own: Refinery) -> None:
    url, before = urlsplit(own.url), set(own.blobs())
    head = (
        f"POST /v1/documents/ HTTP/1.1\r\nHost: x\r\nAuthorization: Api-Key {own.key}\r\n"
        f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: {20 * MEBI}\r\n\r\n"
    )
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=20) as connection:
        connection.sendall(head.encode())
        for piece in form(10 * MEBI, trailer=False):
            connection.sendall(piece)
    wait_until(lambda: '"path":"/v1/documents/","status":400' in own.tail(5).replace(" ", ""), 10, "it is noticed")
    assert len(own.client.get("/v1/documents/").json()["results"]) == 1
    assert set(own.blobs()) == before
    assert "Traceback" not in own.log.read_text()


def test_the_running_api_has_no_docling_in_its_memory(own: Refinery) -> None:
    maps = Path(f"/proc/{own.api.pid}/maps").read_text()
    loaded = {Path(line.split(maxsplit=5)[5]) for line in maps.splitlines() if len(line.split(maxsplit=5)) == 6}
    heavy = [path for path in loaded for name in HEAVY if f"/{name}/" in str(path)]
    assert heavy == []


@pytest.mark.parametrize("module", ["docrefinery.api.app", "docrefinery.bootstrap", "docrefinery.cli.serve"])
def test_no_import_of_the_api_brings_docling(module: str) -> None:
    program = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stdout.strip() == ""


def test_the_api_that_is_built_has_no_docling(tmp_path: Path) -> None:
    program = (
        "import os, sys; from docrefinery.bootstrap.api import build_api; from docrefinery.settings import load;"
        "build_api(load(os.environ));"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    urls = {"DATABASE_URL": "postgresql://u:p@localhost/x", "REDIS_URL": "redis://localhost:1/0"}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(DOCREFINERY_DATA_DIR=str(tmp_path), **urls),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert ran.stdout.strip() == ""
