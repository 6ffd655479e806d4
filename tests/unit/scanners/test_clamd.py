"""The client against a server that says whatever a test wants."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from docrefinery.plugin import Clean, Infected, ScannerDown, Unscannable
from docrefinery.scanners.clamd import CLAMD, Clamd
from docrefinery.services.health import CHECK_SECONDS

Script = Callable[[socket.socket], object]
Serve = Callable[[Script], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Run a server for one connection; returns its address."""
    servers: list[socket.socket] = []
    threads: list[Thread] = []

    def start(script: Script) -> str:
        server = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                script(connection)

        servers.append(server)
        threads.append(Thread(target=run))
        threads[-1].start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join()


def received(connection: socket.socket) -> bytes:
    """Read an INSTREAM command to its end and return the bytes of the file."""
    stream = connection.makefile("rb")
    assert stream.read(len(b"zINSTREAM\0")) == b"zINSTREAM\0"
    content = b""
    while length := int.from_bytes(stream.read(4), "big"):
        content += stream.read(length)
    return content


def answering(reply: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(reply)

    return script


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.pdf"
    path.write_bytes(bytes(range(256)) * 4000)
    return path


def test_the_whole_file_is_sent(serve: Serve, file: Path) -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket) -> None:
        seen.append(received(connection))
        connection.sendall(b"stream: OK\0")

    assert Clamd(serve(script)).scan(file) == Clean()
    assert seen == [file.read_bytes()]


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (b"stream: OK\0", Clean()),
        (b"stream: OK\n", Clean()),
        (b"stream: Eicar-Test-Signature FOUND\0", Infected(signature="Eicar-Test-Signature")),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", Infected(signature="Win.Test.EICAR_HDB-1")),
    ],
)
def test_verdicts(serve: Serve, file: Path, reply: bytes, verdict: Clean | Infected) -> None:
    assert Clamd(serve(answering(reply))).scan(file) == verdict


def test_what_exceeds_a_limit_of_the_engine_is_unscannable_not_infected(serve: Serve, file: Path) -> None:
    reply = b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0"
    verdict = Clamd(serve(answering(reply))).scan(file)
    assert isinstance(verdict, Unscannable)
    assert "MaxFileSize" in verdict.reason


def test_the_size_limit_reply_is_not_lost_when_the_server_stops_reading(serve: Serve, tmp_path: Path) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")

    large = tmp_path / "large.pdf"
    large.write_bytes(bytes(20_000_000))
    verdict = Clamd(serve(script)).scan(large)
    assert isinstance(verdict, Unscannable)
    assert "StreamMaxLength" in verdict.reason


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\0",
        b"stream: ",
        b"stream: NO IDEA\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"UNKNOWN COMMAND\0",
        b"\xff" * 9000,
    ],
)
def test_garbage_is_no_verdict(serve: Serve, file: Path, reply: bytes) -> None:
    with pytest.raises(ScannerDown):
        Clamd(serve(answering(reply))).scan(file)


def test_an_answer_in_pieces_is_put_together(serve: Serve, file: Path) -> None:
    def script(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received(connection)
        for piece in (b"str", b"eam: X", b" FOUND", b"\0"):
            connection.sendall(piece)

    assert Clamd(serve(script)).scan(file) == Infected(signature="X")


def test_a_server_that_never_answers_is_down(serve: Serve, file: Path) -> None:
    def script(connection: socket.socket) -> None:
        received(connection)
        connection.recv(1)

    with pytest.raises(ScannerDown, match="timed out"):
        Clamd(serve(script), reply_seconds=0.2).scan(file)


def test_a_check_is_given_up_before_readyz_gives_up_on_it(serve: Serve) -> None:
    started = time.monotonic()
    with pytest.raises(ScannerDown, match="timed out"):
        Clamd(serve(lambda connection: [connection.recv(10), connection.recv(1)])).check()
    assert time.monotonic() - started < CHECK_SECONDS


def test_nobody_listening_is_down(file: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"127.0.0.1:{port}", f"unix:{tmp_path / 'none.sock'}"):
        with pytest.raises(ScannerDown, match="cannot be reached"):
            Clamd(address).scan(file)
        with pytest.raises(ScannerDown, match="cannot be reached"):
            Clamd(address).check()


def test_a_missing_file_is_not_the_scanners_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Clamd("127.0.0.1:1").scan(tmp_path / "none.pdf")


def test_check_knows_clamd_from_something_else(serve: Serve) -> None:
    Clamd(serve(lambda connection: connection.sendall(b"PONG\0"))).check()
    with pytest.raises(ScannerDown, match="is not clamd"):
        Clamd(serve(lambda connection: connection.sendall(b"220 mail ready\r\n"))).check()


@pytest.mark.parametrize("address", ["", "localhost", "unix:", "host:port"])
def test_an_address_that_cannot_be_one_is_refused_with_its_name(address: str) -> None:
    with pytest.raises(ValueError, match="DOCREFINERY_CLAMD_ADDRESS"):
        CLAMD.create({"DOCREFINERY_CLAMD_ADDRESS": address})
