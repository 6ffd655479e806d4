"""What has been kept for long enough: removed in small steps, so that nothing else has to wait."""

import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from msgspec import Struct

from docrefinery.settings import Settings
from docrefinery.store import retention, tombstones
from docrefinery.store.database import Database

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0
"""Nothing is kept for less than an hour."""
AT_ONCE_SECONDS = 1.0
"""After this the rest is left to the next sweep, since abandoned jobs must not wait."""


class Step(Struct, frozen=True):
    """Removes a batch of something, of one tenant or (of what is remembered alone) of all; returns how many."""

    what: str
    tenant_id: int | None
    remove: Callable[[Database], Awaitable[int]]


class Retention:
    """Removes jobs, artifacts and files whose time is up. Two at once do it once, since each skips what is locked."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._next = 0.0

    async def look(self) -> None:
        """Sweep if it is time."""
        if time.monotonic() >= self._next and await self.sweep(AT_ONCE_SECONDS):
            self._next = time.monotonic() + EVERY_SECONDS

    async def sweep(self, seconds: float) -> bool:
        """Remove what is due, for about so long but a batch at least; returns whether nothing is left.

        Kinds and tenants take turns by batches, beginning anywhere, so that none waits for the backlog of another.
        """
        until, anything = time.monotonic() + seconds, False
        steps = await self._steps()
        random.shuffle(steps)
        waiting = deque(steps)
        while waiting:
            # Where looking alone takes that long, the sweep would come to nothing every time.
            if anything and time.monotonic() > until:
                return False
            step = waiting.popleft()
            if removed := await step.remove(self._db):
                anything = True
                log.info("expired", what=step.what, tenant_id=step.tenant_id, removed=removed)
            if removed == retention.BATCH:
                waiting.append(step)
        return True

    async def _steps(self) -> list[Step]:
        kept = self._settings
        steps = [
            Step(what, due.tenant_id, partial(expire, due=due))
            for what, query, default_hours, expire in (
                ("jobs", retention.JOBS_DUE, kept.keep_jobs_hours, retention.expire_jobs),
                ("artifacts", retention.ARTIFACTS_DUE, kept.keep_artifacts_hours, retention.expire_artifacts),
                ("files", retention.FILES_DUE, kept.keep_files_hours, retention.expire_files),
            )
            for due in await retention.due(self._db, query, default_hours)
        ]
        if hours := kept.keep_tombstones_hours:
            steps += [
                Step(
                    f"tombstones of {kind}s",
                    None,
                    partial(tombstones.forget, kind=kind, hours=hours, limit=retention.BATCH),
                )
                for kind in tombstones.TABLES
            ]
        return steps
