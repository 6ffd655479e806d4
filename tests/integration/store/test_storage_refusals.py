"""Object storage that refuses, is away or says nothing: a real server, and what others are known to say."""

import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from docrefinery.errors import StorageError
from docrefinery.store.blobs import Blobs
from docrefinery.store.opening import Access
from docrefinery.store.refusals import StorageRefused
from docrefinery.store.writing import PIECE
from tests.support.s3 import BUCKET, READER_KEY, READER_SECRET, ObjectStorage, read, refusing, set_all, write

PLAIN = Access(allow_http=True)
IMPATIENT = Access(allow_http=True, timeout_seconds=1)
TOKEN = "a-session-token-that-opens-doors"
WAYS: dict[str, Callable[[Blobs], Awaitable[None]]] = {
    "check": Blobs.check,
    "check writing": Blobs.check_writing,
    "write": lambda blobs: write(blobs, "a", b"x"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        ("refinery-key", "not-the-secret", "the secret key is wrong"),
        ("nobody", "not-the-secret", "it does not know this access key id"),
        (READER_KEY, READER_SECRET, "the credentials do not allow this"),
    ],
)
async def test_wrong_credentials_are_told_apart(
    object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, way: str, key: str, secret: str, said: str
) -> None:
    set_all(monkeypatch, object_storage.environ(key, secret))
    blobs = Blobs(f"s3://{BUCKET}/x", PLAIN)
    if key == READER_KEY and way == "check":
        # It may look, and no more.
        await blobs.check()
        return
    with pytest.raises(StorageRefused) as refused:
        await WAYS[way](blobs)
    assert said in str(refused.value)
    assert secret not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "code", "settled", "said"),
    [
        (403, "RequestTimeTooSkewed", True, "clock"),
        (400, "ExpiredToken", True, "expired"),
        (301, "PermanentRedirect", True, "AWS_REGION"),
        (400, "AuthorizationHeaderMalformed", True, "AWS_REGION"),
        (403, "SomethingNew", True, "do not allow"),
        (503, "SlowDown", False, "fewer requests"),
        (500, "InternalError", False, "HTTP 500, InternalError"),
    ],
)
async def test_what_storages_refuse_with_is_said_for_people_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, object_storage: ObjectStorage, status: int, code: str, settled: bool, said: str
) -> None:
    with refusing(status, code) as server:
        set_all(monkeypatch, object_storage.environ(url=server.url) | {"AWS_SESSION_TOKEN": TOKEN})
        blobs = Blobs(f"s3://{BUCKET}", IMPATIENT)
        for way in WAYS.values():
            with pytest.raises(StorageError, match=said) as refused:
                await way(blobs)
            assert isinstance(refused.value, StorageRefused) == settled
            assert TOKEN not in str(refused.value)
            assert refused.value.__suppress_context__
        # Tried again where that may help, and for a look never.
        assert server.asked > 3 if not settled else server.asked == 3


@pytest.mark.parametrize("refused", ["^PUT .*partNumber=2", "^POST uploadId="])
async def test_parts_are_given_up_where_the_end_of_an_upload_is_refused(
    monkeypatch: pytest.MonkeyPatch, object_storage: ObjectStorage, refused: str
) -> None:
    """Nobody else could do it: once the end has begun, the writer takes no other order."""
    with refusing(403, "AccessDenied", only=refused) as server:
        set_all(monkeypatch, object_storage.environ(url=server.url))
        with pytest.raises(StorageRefused, match="do not allow this"):
            await write(Blobs(f"s3://{BUCKET}", PLAIN), "a", bytes(PIECE + 1))
    # Not the last one: a part that was under way is let go, and the server may note it after this.
    assert "DELETE uploadId=1" in server.requests


async def test_an_endpoint_that_is_not_as_it_should_be_is_named(
    monkeypatch: pytest.MonkeyPatch, object_storage: ObjectStorage
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    said = {
        closed: "nobody listens",
        object_storage.url.replace("http:", "https:"): "does not speak TLS",
        "http://nothing.invalid": "is unknown",
    }
    for url, words in said.items():
        set_all(monkeypatch, object_storage.environ(url=url))
        with pytest.raises(StorageError, match=words):
            await Blobs(f"s3://{BUCKET}", PLAIN).check_writing()
    set_all(monkeypatch, object_storage.environ())
    with pytest.raises(StorageRefused, match="AWS_ALLOW_HTTP"):
        await Blobs(f"s3://{BUCKET}").check()


async def test_a_machine_without_credentials_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing(404, "") as metadata:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", metadata.url)
        with pytest.raises(StorageRefused, match="no credentials are set"):
            await Blobs(f"s3://{BUCKET}").check()


async def test_a_server_that_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, object_storage: ObjectStorage
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        set_all(monkeypatch, object_storage.environ(url=url))
        blobs = Blobs(f"s3://{BUCKET}", IMPATIENT)
        with pytest.raises(StorageError, match="in time"):
            await blobs.exists("a")
        with pytest.raises(StorageError, match="cannot be reached"):
            await write(blobs, "a", b"x")


def written(folder: Path) -> tuple[Path, Path, Path]:
    """Write an authority's certificate, one of its for this machine, and the key of that."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("an authority", "localhost")]
    now = datetime.now(UTC)
    paths = folder / "authority.pem", folder / "server.pem", folder / "key.pem"
    for number, extension in enumerate(
        (x509.BasicConstraints(ca=True, path_length=None), x509.SubjectAlternativeName([x509.DNSName("localhost")]))
    ):
        made = x509.CertificateBuilder(
            names[0], names[number], keys[number].public_key(), number + 1, now - timedelta(1), now + timedelta(1)
        ).add_extension(extension, critical=number == 0)
        signed = made.sign(keys[0], hashes.SHA256())
        paths[number].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    paths[2].write_bytes(keys[1].private_bytes(pem, form, serialization.NoEncryption()))
    return paths


async def test_a_private_authority_is_trusted_where_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, certificate, key = written(tmp_path)
    server = ObjectStorage(tmp_path, f"-s3.cert.file={certificate}", f"-s3.key.file={key}", scheme="https")
    try:
        server.start()
        url = server.url.replace("127.0.0.1", "localhost")
        set_all(monkeypatch, server.environ(url=url))
        with pytest.raises(StorageRefused, match="unknown authority"):
            await Blobs(f"s3://{BUCKET}").check()
        blobs = Blobs(f"s3://{BUCKET}", Access(ca_file=authority))
        await write(blobs, "a", b"over TLS")
        assert await read(blobs, "a") == b"over TLS"
    finally:
        server.kill()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"no PEM", "no PEM file")])
def test_a_bad_file_of_certificates_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StorageError, match=said):
        Blobs(f"s3://{BUCKET}", Access(ca_file=file))
