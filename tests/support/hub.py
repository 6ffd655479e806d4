"""A local stand-in for the Hugging Face hub: serves repositories out of folders, and fails as a test wants."""

import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import unquote

CHUNK = 64 * 1024
LFS_BYTES = 10 * 1024 * 1024
LFS_SUFFIXES = (".bin", ".onnx", ".pt", ".pth", ".safetensors")
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"

# What the client asks once a day or a process for its User-Agent header: not counted, as no download depends on it.
HARNESSES = "/api/agent-harnesses"
API = re.compile(r"/api/models/(?P<repo>.+?)(?:/(?P<what>revision|tree)/(?P<revision>[^/]+))?")
RESOLVE = re.compile(r"/(?P<repo>.+?)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")
COMMIT = re.compile(r"[0-9a-f]{40}")
FROM = re.compile(r"bytes=(\d+)-")


class Request(NamedTuple):
    """A request as it came, without its query."""

    method: str
    path: str
    range: str | None


class File(NamedTuple):
    """A file of a repository; ``oid`` is git's id of it, or of the pointer that git has in place of an LFS file."""

    path: Path
    size: int
    oid: str
    sha256: str | None

    def entry(self, name: str) -> dict[str, object]:
        """Return its entry in a listing."""
        entry: dict[str, object] = {"type": "file", "path": name, "size": self.size, "oid": self.oid}
        if self.sha256:
            pointer_size = len(POINTER.format(sha256=self.sha256, size=self.size))
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": pointer_size}
        return entry


def describe(path: Path) -> File:
    """Return what the hub says of a file."""
    stat = path.stat()
    return File(path, stat.st_size, *_ids(path, stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=1024)  # every request asks again, and models are large
def _ids(path: Path, size: int, changed_ns: int) -> tuple[str, str | None]:
    """Return git's id of a file, and its SHA-256 when it is in LFS."""
    if path.suffix not in LFS_SUFFIXES and size < LFS_BYTES:
        return _blob_id(path.read_bytes()), None
    with path.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    return _blob_id(POINTER.format(sha256=sha256, size=size).encode()), sha256


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers what ``snapshot_download`` asks; it names no Xet hash, so that the client takes plain HTTP."""

    server: "Server"

    def do_HEAD(self) -> None:
        """Describe a file."""
        self.do_GET()

    def do_GET(self) -> None:
        """Send a listing or a file."""
        hub, path = self.server.hub, self.path.partition("?")[0]
        if path == HARNESSES:
            self.send(200, {"standardEnvVars": [], "harnesses": {}})
            return
        hub.requests.append(Request(self.command, path, self.headers["Range"]))
        asked = RESOLVE.fullmatch(path) or API.fullmatch(path)
        repo = unquote(asked["repo"]) if asked else ""
        with suppress(ConnectionError):
            if hub.down:
                self.send(503, {"error": "Service Unavailable"})
            elif asked is None or repo not in hub.repos:
                self.send(404, {"error": "Repository not found"}, "RepoNotFound")
            else:
                revision = unquote(asked["revision"] or "main")
                commit = revision if COMMIT.fullmatch(revision) else hub.commit(repo)
                self.answer(hub.files(repo), repo, commit, asked.groupdict())

    def answer(self, files: Mapping[str, File], repo: str, commit: str, asked: Mapping[str, str]) -> None:
        """Send what was asked of a repository."""
        if "name" not in asked:
            listing = [file.entry(name) for name, file in files.items()]
            info = {"id": repo, "sha": commit, "siblings": [{"rfilename": name} for name in files]}
            self.send(200, listing if asked["what"] == "tree" else info)
        elif (name := unquote(asked["name"])) in files:
            self.send_file(name, files[name], commit)
        else:
            self.send(404, {"error": "Entry not found"}, "EntryNotFound")

    def send(self, status: int, content: object, error_code: str = "") -> None:
        """Send JSON."""
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if error_code:
            self.send_header("X-Error-Code", error_code)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def send_file(self, name: str, file: File, commit: str) -> None:
        """Send a file, or the rest of it; a range that has an end is not for resuming, and may be ignored."""
        resumed = FROM.fullmatch(self.headers["Range"] or "")
        start = int(resumed[1]) if resumed else 0
        if resumed and start >= file.size:
            self.send(416, {"error": "Range not satisfiable"})
            return
        self.send_response(206 if resumed else 200)
        self.send_header("Content-Length", str(file.size - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{file.oid}"')
        if resumed:
            self.send_header("Content-Range", f"bytes {start}-{file.size - 1}/{file.size}")
        if file.sha256:
            self.send_header("X-Linked-Etag", f'"{file.sha256}"')
            self.send_header("X-Linked-Size", str(file.size))
        self.end_headers()
        if self.command == "GET":
            self.send_body(name, file, start)

    def send_body(self, name: str, file: File, start: int) -> None:
        """Send a file from ``start`` on, with the faults that are switched on."""
        hub = self.server.hub
        stop = start + hub.take_cut(file.size - start)
        for chunk in _chunks(file, start, stop, corrupt=name in hub.corrupt):
            if hub.over.wait(hub.delay):
                return
            self.wfile.write(chunk)
        if stop < file.size and hub.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _chunks(file: File, start: int, stop: int, *, corrupt: bool) -> Iterator[bytes]:
    """Read a file; a corrupt one differs in its last byte, where no parser of its header looks."""
    with file.path.open("rb") as source:
        source.seek(start)
        while start < stop:
            chunk = source.read(min(CHUNK, stop - start))
            start += len(chunk)
            yield chunk[:-1] + bytes([chunk[-1] ^ 1]) if corrupt and start == file.size else chunk


class Server(ThreadingHTTPServer):
    """The server of a hub."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, hub: "Hub") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hub = hub


class Hub:
    """A hub while the context lasts; a client finds it by ``HF_ENDPOINT``, read when ``huggingface_hub`` is imported.

    A revision that is a commit is served as that commit; any other name stands for what the folder has now.
    Faults are switched on and off by setting them.
    """

    def __init__(self, repos: Mapping[str, Path]) -> None:
        self.repos = dict(repos)
        self.requests: list[Request] = []
        # Bodies longer than this break off after so many bytes; `cuts` of them, or all (None), by a reset if so set.
        self.cut_after: int | None = None
        self.cuts: int | None = None
        self.reset = False
        self.corrupt: set[str] = set()
        self.delay = 0.0
        self.down = False
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._server = Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def files(self, repo: str) -> dict[str, File]:
        """Return the files of a repository by name; what a client keeps in ``.cache`` is none of them."""
        root = self.repos[repo]
        names = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return {name.as_posix(): describe(root / name) for name in names if name.parts[0] != ".cache"}

    def commit(self, repo: str) -> str:
        """Return the commit that branches and tags stand for: made of the content, it changes with it."""
        listing = [[name, file.oid] for name, file in self.files(repo).items()]
        return hashlib.sha1(json.dumps(listing).encode()).hexdigest()

    def take_cut(self, length: int) -> int:
        """Return how much of a body of this length is sent."""
        with self._lock:
            if self.cut_after is None or self.cut_after >= length or self.cuts == 0:
                return length
            if self.cuts is not None:
                self.cuts -= 1
            return self.cut_after
