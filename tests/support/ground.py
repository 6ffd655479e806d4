"""An installation on which faults are tried: a job can be held in each of its stages, and the promise is checked."""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, get_args

import asyncpg
import httpx
import psutil

from docrefinery.embedded import Endpoints, locate
from docrefinery.embedded.revival import RESTARTS, WITHIN_SECONDS
from docrefinery.store.database import UNREACHABLE
from tests.support import plugins
from tests.support.clamd import Daemon
from tests.support.disks import MEBIBYTES, disk
from tests.support.hooks import SECRET
from tests.support.pdfs import born_digital, slow
from tests.support.processes import wait_until
from tests.support.receivers import Server, receiving
from tests.support.refinery import DEFAULT_KINDS, TERMINAL, Refinery, fresh
from tests.support.told import assert_all_told

StageName = Literal["SCANNING", "CONVERTING", "EXPORTING", "CHUNKING", "FINALIZING"]
STAGES: tuple[StageName, ...] = get_args(StageName)
WORKERS = 2
LEASE_SECONDS = 3.0
PLUGIN = """
import time
from docrefinery.model import Stage
from docrefinery.plugin import Exporter, hookimpl

def write(document, stream):
    time.sleep(2)
    stream.write(document.name.encode())

@hookimpl
def docrefinery_exporters():
    fields = {"summary": "Takes its time.", "content_type": "text/plain; charset=utf-8", "write": write}
    return [
        Exporter(kind="slow_text", suffix=".slow.txt", **fields),
        Exporter(kind="slow_chunks", suffix=".slow.chunks.txt", stage=Stage.CHUNKING, **fields),
    ]
"""
EXPORTS = {"EXPORTING": "slow_text", "CHUNKING": "slow_chunks"}


class BrokenPromise(AssertionError):
    """Something that was promised is not so."""


class Ground:
    """What faults are tried on. ``home`` is a folder that is not there yet."""

    def __init__(self, home: Path, receiver: Server, clamd: Daemon) -> None:
        self.receiver = receiver
        self.clamd = clamd
        self.storage = home / "disk/blobs"
        self.clamd_address: tuple[str, int] = clamd.server_address[:2]  # type: ignore[assignment]
        self.own = Refinery(
            home,
            workers=WORKERS,
            settings={
                "DOCREFINERY_LEASE_SECONDS": str(LEASE_SECONDS),
                "DOCREFINERY_SWEEP_SECONDS": "0.5",
                "DOCREFINERY_STOP_GRACE_SECONDS": "2",
                # The disk that is filled up is small.
                "DOCREFINERY_MIN_FREE_DISK_MB": "0",
                "DOCREFINERY_MAX_CRASHES": "10",
                "DOCREFINERY_STORAGE_URL": self.storage.as_uri(),
                "DOCREFINERY_CLAMD_ADDRESS": clamd.address,
                "DOCREFINERY_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
                "DOCREFINERY_WEBHOOK_RETRY_DELAYS": "0,0.2,0.5,1,2,5,5,5,5,5,5,5,5",
                "PYTHONPATH": str(home.parent / "plugins"),
            },
        )
        self._deaths: deque[float] = deque(maxlen=RESTARTS)
        self._kinds: dict[int, list[str]] = {}
        self._publishing: threading.Event | None = None
        self._holder: threading.Thread | None = None

    def await_a_revival(self) -> None:
        """Wait until `up` would start another embedded server again that dies: of one that keeps dying it ends."""
        often = len(self._deaths) == RESTARTS
        # It notices a death a moment after it.
        wait_until(lambda: not often or time.monotonic() - self._deaths[0] > WITHIN_SECONDS + 2, WITHIN_SECONDS + 5)
        self._deaths.append(time.monotonic())

    def start(self) -> None:
        """Start it, with an endpoint for webhooks."""
        folder = self.own.home.parent / "plugins"
        folder.mkdir()
        plugins.install(folder, "slow_exporters", PLUGIN)
        self.own.start()
        answer = self.own.client.post(
            "/v1/webhooks/", json={"name": "ground", "url": self.receiver.url, "secret": SECRET}
        )
        assert answer.status_code == 201, answer.text

    @property
    def endpoints(self) -> Endpoints:
        """Where its servers answer."""
        found = locate(self.own.data_dir)
        assert found is not None
        return found

    def rows(self, sql: str, *args: object) -> list[Any]:
        """Ask its database."""
        url = self.endpoints.migration_database_url

        async def asked() -> list[Any]:
            connection = await asyncpg.connect(url, timeout=10)
            try:
                return list(await connection.fetch(sql, *args))
            finally:
                await connection.close()

        return asyncio.run(asked())

    def submit(self, content: bytes, kinds: list[str] | None = None) -> int:
        """Have a document processed."""
        kinds = kinds or DEFAULT_KINDS
        exports = [kind for kind in kinds if kind != "docling_json"]
        job_id: int = self.own.client.submit(fresh(content), options_json=json.dumps({"exports": exports}))["job_id"]
        self._kinds[job_id] = kinds
        return job_id

    def held_in(self, stage: StageName) -> int:
        """Have a document processed, and return its job as soon as it is in a stage, where it stays for a while."""
        content, kinds = born_digital(), list(DEFAULT_KINDS)
        if stage == "SCANNING":
            content += b"% HOLD\n"
            self.clamd.lets_go.clear()
        elif stage == "CONVERTING":
            content = slow(8)
        elif stage == "FINALIZING":
            self._hold_publishing()
        else:
            kinds.append(EXPORTS[stage])
        job_id = self.submit(content, kinds)
        wait_until(lambda: self._is_in(job_id, stage), 40, f"job {job_id} is in {stage}")
        return job_id

    def _is_in(self, job_id: int, stage: str) -> bool:
        job = self.own.client.job(job_id)
        assert job["status"] in ("QUEUED", "RUNNING"), job
        return (job["status"], job["stage"]) == ("RUNNING", stage)

    def _hold_publishing(self) -> None:
        locked, self._publishing = threading.Event(), threading.Event()
        url, release = self.endpoints.migration_database_url, self._publishing

        async def hold() -> None:
            connection = await asyncpg.connect(url)
            with suppress(*UNREACHABLE):
                async with connection.transaction():
                    await connection.execute("LOCK TABLE artifacts IN SHARE MODE")
                    locked.set()
                    await asyncio.to_thread(release.wait)
            connection.terminate()

        self._holder = threading.Thread(target=lambda: asyncio.run(hold()))
        self._holder.start()
        assert locked.wait(20)

    def let_go(self) -> None:
        """Hold nothing any more."""
        self.clamd.lets_go.set()
        if self._publishing is not None and self._holder is not None:
            self._publishing.set()
            self._holder.join(20)
            self._publishing = self._holder = None

    def worker_of(self, job_id: int) -> psutil.Process:
        """Return the worker that has a job."""
        found = self.rows("SELECT w.pid FROM leases l JOIN workers w ON w.id = l.owner WHERE l.job_id = $1", job_id)
        assert found, f"nobody has job {job_id}"
        return psutil.Process(found[0]["pid"])

    def check(self, job_ids: list[int], failing: list[int] | None = None) -> None:
        """Fail unless the promise is kept; raises :class:`BrokenPromise`.

        :param failing: jobs that may end in any way, as those of broken files do.
        """
        try:
            for job_id in job_ids:
                self._assert_published_once(job_id)
            for job_id in failing or []:
                assert self.own.client.finished(job_id, 120)["status"] in TERMINAL
            for job_id in (*job_ids, *(failing or [])):
                assert_all_told(self.own.client, self.receiver, job_id, 60)
            self._assert_whole()
            self._assert_nothing_leaked()
        except (AssertionError, httpx.HTTPError) as error:
            raise BrokenPromise(str(error)) from error
        # What was checked need not be checked again, and again.
        self.receiver.received.clear()

    def _assert_published_once(self, job_id: int) -> None:
        job = self.own.client.finished(job_id, 120)
        assert (job["status"], job["error_code"], job["attempt"]) == ("SUCCEEDED", "", 1), job
        self.own.client.assert_converted(job_id, self._kinds[job_id])

    def _assert_whole(self) -> None:
        wait_until(lambda: len(self.own.workers) == WORKERS, 30, "the workers run")
        wait_until(lambda: len(self.own.converters) == WORKERS, 30, "the converters run")
        wait_until(lambda: self._ready() == 200, 30, "it is ready")

    def _ready(self) -> int:
        with suppress(httpx.TransportError):
            return self.own.client.get("/readyz").status_code
        return 0

    def _assert_nothing_leaked(self) -> None:
        assert not self.rows("SELECT FROM leases l JOIN jobs j ON j.id = l.job_id WHERE j.status <> 'RUNNING'")
        wait_until(lambda: not self.unreferenced(), 10, "every blob has a row or is noted as garbage")
        wait_until(self._scratch_is_empty, 10, "no files in hand are left")

    def unreferenced(self) -> list[str]:
        """Return the files in the storage that no row refers to."""
        stored = [str(path.relative_to(self.storage)) for path in self.storage.rglob("*") if path.is_file()]
        referred = self.rows("SELECT blob_key AS key FROM documents UNION SELECT blob_key FROM artifacts")
        known = {row["key"] for row in referred}
        noted = tuple(row["prefix"] for row in self.rows("SELECT prefix FROM unreferenced_blobs"))
        return [key for key in stored if key not in known and not key.startswith((*noted, "health-", "ballast"))]

    def _scratch_is_empty(self) -> bool:
        folders = list((self.own.data_dir / "scratch").iterdir())
        inside = [path.name for folder in folders for path in folder.iterdir()]
        return len(folders) == WORKERS and all(name.startswith("docrefinery-child-") for name in inside)


@contextmanager
def proving_ground(home: Path, mebibytes: int = MEBIBYTES) -> Iterator[Ground]:
    """Run one; its storage is a disk of its own, of this size, where this process may mount one."""
    with receiving() as receiver, Daemon() as clamd:
        ground = Ground(home, receiver, clamd)
        with disk(ground.storage, mebibytes):
            try:
                ground.start()
                yield ground
            finally:
                ground.let_go()
                ground.own.close()
