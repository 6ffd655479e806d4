"""Whether this process can do its work: what ``/readyz`` tells."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog
from msgspec import Struct

from docrefinery.capabilities import missing
from docrefinery.errors import StorageError
from docrefinery.model import CLASS_OF, JOB_QUEUES, MAINTENANCE, QUEUE, WEBHOOKS, takes
from docrefinery.plugin.descriptors import Scanner
from docrefinery.plugin.registry import Registry
from docrefinery.services.abilities import Abilities
from docrefinery.services.doorbell import Doorbell
from docrefinery.settings import Settings
from docrefinery.store import jobs, schema, workers
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database

log = structlog.get_logger(__name__)

Status = Literal["ok", "degraded", "failed"]
CHECK_SECONDS = 3.0


class Check(Struct, frozen=True):
    """How one part is, and a sentence about it."""

    status: Status
    detail: str


class Readiness(Struct, frozen=True):
    """How the service is: ``failed`` if it cannot take documents."""

    status: Status
    checks: dict[str, Check]


class Health:
    """Asks every part that the service needs."""

    def __init__(
        self,
        db: Database,
        blobs: Blobs,
        doorbell: Doorbell,
        scanner: Scanner,
        registry: Registry,
        abilities: Abilities,
        settings: Settings,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._doorbell = doorbell
        self._settings = settings
        self._scanner = scanner
        self._registry = registry
        self._abilities = abilities
        self._scan_engine = scanner.create(settings.environ) if scanner.runs_in == "worker" else None
        self._asking: asyncio.Task[Check] | None = None

    async def ready(self) -> Readiness:
        """Run every check at once, each under a time limit."""
        parts: dict[str, tuple[Callable[[], Awaitable[Check]], Status]] = {
            "database": (self._database, "failed"),
            "migrations": (self._migrations, "failed"),
            "broker": (self._broker, "failed"),
            "storage": (self._storage, "failed"),
            "scanner": (self._scan, "degraded"),
            "workers": (self._workers, "degraded"),
            "models": (self._models, "degraded"),
            "jail": (self._jail, "degraded"),
        }
        results = await asyncio.gather(*(self._run(check, worst) for check, worst in parts.values()))
        checks = dict(zip(parts, results, strict=True))
        statuses = {check.status for check in results}
        overall: Status = "failed" if "failed" in statuses else "degraded" if "degraded" in statuses else "ok"
        return Readiness(overall, checks)

    async def parts(self) -> dict[str, bool]:
        """Return whether each part without which nothing goes on is there."""
        needed = {"database": self._database, "migrations": self._migrations, "broker": self._broker}
        needed["storage"] = self._storage
        results = await asyncio.gather(*(self._run(check, "failed") for check in needed.values()))
        return {name: check.status == "ok" for name, check in zip(needed, results, strict=True)}

    async def _run(self, check: Callable[[], Awaitable[Check]], worst: Status) -> Check:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await check()
        except TimeoutError:
            return Check(worst, f"no answer within {CHECK_SECONDS:.0f} s")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a part is what this page is for
            log.warning("check_failed", check=check.__name__, error=str(error))
            return Check(worst, "not reachable; the log says more")

    async def _database(self) -> Check:
        await self._db.fetch("SELECT 1")
        return Check("ok", "answers")

    async def _migrations(self) -> Check:
        if not await schema.up_to_date(self._db):
            return Check("failed", "not up to date: run `docrefinery migrate`")
        return Check("ok", "up to date")

    async def _broker(self) -> Check:
        await self._doorbell.check()
        return Check("ok", "answers")

    async def _storage(self) -> Check:
        try:
            await self._blobs.check()
        except StorageError as error:
            log.warning("storage_check_failed", error=error.message)
            return Check("failed", error.message)
        return Check("ok", "answers" if self._settings.storage_folder is None else "can be written")

    async def _scan(self) -> Check:
        # A thread cannot be given up: an engine that hangs holds one, not one a probe; all probes wait for it.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_scanner())
        await asyncio.wait([self._asking])
        return self._asking.result()

    async def _ask_scanner(self) -> Check:
        name = self._scanner.name
        try:
            if self._scan_engine is not None:
                await asyncio.to_thread(self._scan_engine.check)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the scanner is not there
            log.warning("scanner_does_not_answer", scanner=name, error=str(error))
            return Check("degraded", f"{name} does not answer; jobs wait for it")
        if self._scanner.basic:
            return Check("degraded", f"{name}: recognises only the most obvious threats; set DOCREFINERY_CLAMD_ADDRESS")
        return Check("ok", f"{name} answers")

    async def _workers(self) -> Check:
        alive = await workers.alive(self._db, self._settings.lease_seconds)
        if not alive:
            return Check("degraded", "none alive; jobs stay queued")
        taken = await workers.queues(self._db, self._settings.lease_seconds)
        left = [queue for queue in await jobs.waiting_queues(self._db, JOB_QUEUES) if not takes(taken, queue)]
        # Those of the version before do all of it.
        wanted = [] if QUEUE in taken else [each for each in (WEBHOOKS, MAINTENANCE) if each not in taken]
        if left or wanted:
            classes = ",".join(dict.fromkeys([*(CLASS_OF[queue] for queue in left), *wanted]))
            return Check("degraded", f"none takes {classes}; start one with `docrefinery worker --queues {classes}`")
        return Check("ok", f"{alive} alive")

    async def _jail(self) -> Check:
        said = await workers.jails(self._db, self._settings.lease_seconds)
        lacks = list(dict.fromkeys(measure for jail in said for measure in jail if not measure.held))
        if lacks:
            return Check("degraded", missing(lacks))
        return Check("ok", "every measure holds" if said else "no converter has started yet")

    async def _models(self) -> Check:
        lacks = {name: await self._abilities.missing(profile) for name, profile in self._registry.profiles.items()}
        short = [f"{name} lacks {', '.join(missing)}" for name, missing in lacks.items() if missing]
        return Check("degraded", "; ".join(short)) if short else Check("ok", "every profile has what it needs")
