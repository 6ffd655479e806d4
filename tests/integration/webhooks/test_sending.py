"""One attempt, whatever the receiver does and wherever its name leads."""

import ssl
import time
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from docrefinery.services.webhooks.addresses import Address, networks
from docrefinery.services.webhooks.courier import Courier, judge
from docrefinery.services.webhooks.guard import Guard, Resolve
from docrefinery.services.webhooks.sending import READ_BYTES, Answered, Letter, Result, Sender, Unanswered
from tests.support import hooks
from tests.support.receivers import Behaviour, Handler, Server, answers, drips, hangs, receiving, resets

LOOPBACK = networks(hooks.LOOPBACK)


async def nowhere(host: str, port: int) -> Sequence[Address]:
    """Know no name."""
    raise OSError


def names(*addresses: str) -> Resolve:
    """Answer each question about any name with the next of these."""
    left = [ip_address(text) for text in addresses]

    async def resolve(host: str, port: int) -> Sequence[Address]:
        return [left.pop(0)]

    return resolve


async def send(
    url: str, *, guard: Guard | None = None, trusted: ssl.SSLContext | None = None, limit_seconds: float = 15
) -> Result:
    sender = Sender(
        guard or Guard(LOOPBACK, nowhere),
        connections=4,
        trusted=trusted or ssl.create_default_context(),
        limit_seconds=limit_seconds,
    )
    try:
        return await sender.send(Letter(url=url, body=b"{}", event="ping", delivery=uuid4(), secret=None))
    finally:
        await sender.close()


@pytest.mark.parametrize(
    "behave",
    [hangs, drips(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Filler: " + b"x" * 5000)],
    ids=["hangs", "drips"],
)
async def test_receiver_that_does_not_come_to_an_end_is_left_in_time(receiver: Server, behave: Behaviour) -> None:
    receiver.otherwise = behave
    started = time.monotonic()
    result = await send(receiver.url, limit_seconds=0.5)
    assert time.monotonic() - started < 3
    assert isinstance(result, Unanswered)
    assert "0.5 s" in result.reason


async def test_answer_whose_body_drips_does_not_count(receiver: Server) -> None:
    receiver.otherwise = drips(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
    result = await send(receiver.url, limit_seconds=4)
    assert isinstance(result, Answered)
    verdict = judge(result)
    assert verdict.status == 200
    assert "broke off" in verdict.error


async def test_limit_is_15_seconds_for_everything_together() -> None:
    assert Sender(Guard((), nowhere), connections=1, trusted=ssl.create_default_context())._limit == 15


async def test_reset_is_told(receiver: Server) -> None:
    receiver.otherwise = resets
    result = await send(receiver.url)
    assert isinstance(result, Unanswered)
    assert "no answer" in result.reason


async def test_nobody_there_is_told() -> None:
    with receiving() as closed:
        url = closed.url
    result = await send(url)
    assert isinstance(result, Unanswered)
    assert "cannot be connected to" in result.reason


@pytest.mark.parametrize("noise", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 2_000_000])
async def test_what_is_no_http_is_told(receiver: Server, noise: bytes) -> None:
    def babble(handler: object) -> None:
        handler.wfile.write(noise)  # type: ignore[attr-defined]
        handler.close_connection = True  # type: ignore[attr-defined]

    receiver.otherwise = babble
    result = await send(receiver.url)
    assert isinstance(result, Unanswered)
    assert result.reason.startswith("There was no answer: ")


async def test_answer_of_two_megabytes_costs_no_memory(receiver: Server) -> None:
    receiver.otherwise = answers(200, b"x" * 2_000_000)
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        result = await send(receiver.url, trusted=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result == Answered(200)
    assert peak - before < 1_000_000 + READ_BYTES


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed(receiver: Server, status: int) -> None:
    with receiving() as inside:
        receiver.otherwise = answers(status, Location=inside.url)
        result = await send(receiver.url)
        assert inside.received == []
    assert "not followed" in judge(result).error


async def test_proxy_of_the_environment_is_not_used(receiver: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await send(receiver.url) == Answered(200)


async def test_name_is_resolved_once_more_at_the_connect_and_checked(receiver: Server) -> None:
    """A name that was public at the registration and leads inside now gets nothing."""
    guard = Guard((), names("93.184.216.34", "127.0.0.1"))
    url = f"http://rebinding.example:{receiver.port}/"
    await guard.check(url)
    result = await send(url, guard=guard)
    assert receiver.received == []
    assert isinstance(result, Unanswered)
    assert "not public" in result.reason


async def test_socket_goes_to_the_address_that_was_checked_and_not_to_another_look_up(receiver: Server) -> None:
    # A second question would raise: there is one answer.
    guard = Guard(LOOPBACK, names("127.0.0.1"))
    assert await send(f"http://pinned.example:{receiver.port}/x", guard=guard) == Answered(200)
    assert receiver.received[0].headers["host"] == f"pinned.example:{receiver.port}"


async def test_next_address_is_tried_when_one_does_not_answer(receiver: Server) -> None:
    async def both(host: str, port: int) -> Sequence[Address]:
        return [ip_address("127.0.0.2"), ip_address("127.0.0.1")]

    assert await send(f"http://two.example:{receiver.port}/", guard=Guard(LOOPBACK, both)) == Answered(200)


async def test_url_that_an_older_rule_let_in_is_refused_at_the_attempt() -> None:
    result = await send("http://user:secret@example.com/")
    assert isinstance(result, Unanswered)
    assert "secret@" not in result.reason


def certificate(name: str, folder: Path) -> tuple[Path, Path]:
    """Make a certificate of a name, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, private


async def test_tls_is_checked_against_the_name_of_the_url(receiver: Server, tmp_path: Path) -> None:
    cert, key = certificate("hooks.example", tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(cert, key)
    asked: list[str | None] = []
    served.sni_callback = lambda _socket, name, _context: asked.append(name)
    receiver.socket = served.wrap_socket(receiver.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=str(cert))

    async def attempt(host: str, trusted: ssl.SSLContext) -> Result:
        url = f"https://{host}:{receiver.port}/"
        return await send(url, guard=Guard(LOOPBACK, names("127.0.0.1")), trusted=trusted)

    assert await attempt("hooks.example", trusting) == Answered(200)
    assert asked == ["hooks.example"]
    for host, trusted in (("other.example", trusting), ("hooks.example", ssl.create_default_context())):
        result = await attempt(host, trusted)
        assert isinstance(result, Unanswered)
        assert "certificate" in result.reason.lower()
    assert len(receiver.received) == 1


async def test_what_a_receiver_leaves_behind_is_no_answer_to_the_next_delivery(
    receiver: Server, courier: Courier
) -> None:
    """Two tenants may have their receivers on one host: each delivery has a connection of its own."""
    sender = courier._sender
    letter = Letter(url=receiver.url, body=b"{}", event="ping", delivery=uuid4(), secret=None)

    def forges(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    receiver.script = [behave for _ in range(5) for behave in (forges, answers(500))]
    for _ in range(5):
        assert await sender.send(letter) == Answered(204)
        assert await sender.send(letter) == Answered(500)
    assert sender._pool.connections == []
    assert {received.headers["connection"] for received in receiver.received} == {"close"}
