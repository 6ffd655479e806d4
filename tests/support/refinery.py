"""`docrefinery up` as an operator starts it, and a client as an integrator writes it."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeAlias

import httpx
import psutil

from tests.support.processes import COMMAND, docrefinery, end_all, environment, wait_until, working_in

Json: TypeAlias = dict[str, Any]

READY_SECONDS = 45.0
STOP_SECONDS = 30.0
"""More than the grace that a stop gives jobs in hand, and what comes after it."""
TERMINAL = ("SUCCEEDED", "FAILED", "CANCELED", "QUARANTINED")
DEFAULT_KINDS = ["docling_json", "doctags", "markdown", "text"]
_READY = re.compile(r"^DocumentRefinery is ready at (\S+) \(data in .+\)\. Ctrl-C stops it\.$", re.MULTILINE)
_KEY = re.compile(r"^API key of the tenant `default`: (\S+)$", re.MULTILINE)
_KEPT = re.compile(r"^The API key of the tenant `default` is in (.+)$", re.MULTILINE)
_CURL = re.compile(r"^  (curl .+)$", re.MULTILINE)
_numbers = count(1)


def fresh(content: bytes) -> bytes:
    """Return a file as one that no tenant has yet: readers do not look at a comment after its end."""
    return content + b"\n%% file %d of this run\n" % next(_numbers)


class Client(httpx.Client):
    """A client of one tenant."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(
            base_url=url, headers={"Authorization": f"Api-Key {key}"}, timeout=httpx.Timeout(40), trust_env=False
        )

    def submit(self, content: bytes, name: str = "report.pdf", **fields: str) -> Json:
        """Upload a document, have it processed, and return what the service says of it."""
        data = {"ingest": "true", **fields}
        answer = self.post("/v1/documents/", files={"file": (name, content, "application/pdf")}, data=data)
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()
        return created

    def job(self, job_id: int, **query: int) -> Json:
        """Return a job."""
        answer = self.get(f"/v1/jobs/{job_id}/", params=query)
        assert answer.status_code == 200, answer.text
        job: Json = answer.json()
        return job

    def finished(self, job_id: int, seconds: float = 45) -> Json:
        """Return a job when it is finished; a service that is away meanwhile is asked again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = self.get(f"/v1/jobs/{job_id}/", params={"wait": 2})
                assert answer.status_code in (200, 503), answer.text
                job: Json = answer.json()
                if job["status"] in TERMINAL:
                    return job
        raise AssertionError(f"job {job_id} is not finished after {seconds} s")

    def running(self, job_id: int, seconds: float = 30) -> Json:
        """Return a job as soon as its conversion is under way: some page is done."""
        wait_until(lambda: (self.job(job_id)["pages_done"] or 0) > 0, seconds, f"job {job_id} converts")
        return self.job(job_id)

    def artifacts(self, job_id: int) -> list[Json]:
        """List the artifacts of a job."""
        answer = self.get("/v1/artifacts/", params={"job_id": job_id})
        assert answer.status_code == 200, answer.text
        results: list[Json] = answer.json()["results"]
        return results

    def assert_converted(self, job_id: int, kinds: Sequence[str] = DEFAULT_KINDS) -> None:
        """Fail unless a job succeeded with one whole set of artifacts."""
        job = self.finished(job_id)
        assert (job["status"], job["error_code"]) == ("SUCCEEDED", ""), job
        artifacts = self.artifacts(job_id)
        assert sorted(artifact["kind"] for artifact in artifacts) == sorted(kinds)
        for artifact in artifacts:
            content = self.get(f"/v1/artifacts/{artifact['id']}/").content
            assert hashlib.sha256(content).hexdigest() == artifact["sha256"]


class Refinery:
    """`docrefinery up` on a folder of its own; all of its processes work in that folder, so all of them are found."""

    def __init__(self, home: Path, *options: str, workers: int = 1, settings: dict[str, str] | None = None) -> None:
        """Take the folder, more options of `up`, and settings; nothing runs yet."""
        self.home = home
        self.data_dir = home / "data"
        self.out, self.log = home / "out.txt", home / "log.txt"
        self.url = self.key = self.curl = ""
        self.python: str | Path = sys.executable
        self.environ = environment(
            TMPDIR=str(home / "tmp"), DOCREFINERY_DATA_DIR=str(self.data_dir), **(settings or {})
        )
        self._arguments = ["up", "--port", "0", "--data-dir", str(self.data_dir), "--workers", str(workers), *options]
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None
        (home / "tmp").mkdir(parents=True)

    def start(self) -> Self:
        """Start it and wait for its ready line."""
        with self.out.open("wb") as out, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.python, *COMMAND, *self._arguments],
                env=self.environ,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._greeted, READY_SECONDS, "the ready line is printed")
        self.read_greeting(self.out.read_text())
        return self

    def read_greeting(self, text: str) -> None:
        """Take address, key and curl from what was printed."""
        ready, key, kept, curl = (pattern.search(text) for pattern in (_READY, _KEY, _KEPT, _CURL))
        if not (ready and (key or kept) and curl):
            raise AssertionError(f"{text}\n{self.tail()}")
        self.url, self.curl = ready[1], curl[1]
        self.key = key[1] if key else Path(kept[1]).read_text().strip() if kept else ""
        self._forget_client()

    def _greeted(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended with {self._process.returncode}:\n{self.tail()}"
        return _CURL.search(self.out.read_text()) is not None

    @property
    def pid(self) -> int:
        """Process id of `up`."""
        assert self._process is not None
        return self._process.pid

    @property
    def client(self) -> Client:
        """A client with the key that was printed."""
        if self._client is None:
            self._client = Client(self.url, self.key)
        return self._client

    def command(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run another command of ours on the same data."""
        return docrefinery(*arguments, environ=self.environ, cwd=self.home, python=self.python)

    def send(self, number: int) -> None:
        """Send `up` a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Stop it in order and return how many seconds that took."""
        assert self._process is not None
        started = time.monotonic()
        self.send(number)
        assert self._process.wait(STOP_SECONDS) == 0, self.tail()
        return time.monotonic() - started

    def kill(self) -> None:
        """SIGKILL `up` alone, and reap it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> list[str]:
        """End it; returns the processes that a stop in order left, and ends those too."""
        self._forget_client()
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop()
        finally:
            if self._process is not None and self._process.poll() is None:
                self.kill()
            left = end_all(self.home)
        return left

    def _forget_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def processes(self, *words: str) -> list[psutil.Process]:
        """Return its processes whose command line has all the words."""
        found = []
        for process in working_in(self.home):
            with suppress(psutil.NoSuchProcess):
                line = " ".join([process.name(), *process.cmdline()])
                if all(word in line for word in words):
                    found.append(process)
        return found

    @property
    def api(self) -> psutil.Process:
        """The API's process."""
        (process,) = self.processes("docrefinery api")
        return process

    @property
    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        return self.processes("docrefinery worker")

    @property
    def converters(self) -> list[psutil.Process]:
        """The converter processes: those that were forked from a zygote, and those that were started by themselves."""
        zygotes = self.processes("docrefinery.pipeline.zygote")
        pids = {process.pid for process in zygotes}
        forked = [process for process in zygotes if _parent_of(process) in pids]
        return [*forked, *self.processes("docrefinery.pipeline.child")]

    def blobs(self, part: str = "") -> list[Path]:
        """Return the files in the storage whose path contains ``part``."""
        # Unlike `rglob`, this goes on where a folder is removed meanwhile.
        found = (Path(folder, name) for folder, _, names in os.walk(self.data_dir / "blobs") for name in names)
        return [path for path in found if part in str(path)]

    def assert_one_set(self, job_id: int, kinds: Sequence[str] = DEFAULT_KINDS) -> None:
        """Fail unless a job succeeded with one set of artifacts, in the database as in the storage."""
        self.client.assert_converted(job_id, kinds)
        stored = self.blobs(f"/jobs/{self.client.job(job_id)['uuid']}/")
        assert len(stored) == len(kinds), stored

    def tail(self, lines: int = 60) -> str:
        """Return the end of what it logged."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


def _parent_of(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0
