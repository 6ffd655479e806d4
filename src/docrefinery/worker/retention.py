"""What has been kept for long enough: removed in small steps, so that nothing else has to wait."""

import time
from collections.abc import Awaitable, Callable

import structlog

from docrefinery.settings import Settings
from docrefinery.store import retention
from docrefinery.store.database import Database
from docrefinery.store.retention import Due

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0
"""Nothing is kept for less than an hour."""
AT_ONCE_SECONDS = 1.0
"""After this the rest is left to the next sweep, since abandoned jobs must not wait."""


class Retention:
    """Removes jobs, artifacts and files whose time is up. Two at once do it once, since each skips what is locked."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._next = 0.0

    async def look(self) -> None:
        """Sweep if it is time."""
        if time.monotonic() >= self._next and await self.sweep():
            self._next = time.monotonic() + EVERY_SECONDS

    async def sweep(self, seconds: float = AT_ONCE_SECONDS) -> bool:
        """Remove what is due, for about so long; returns whether nothing is left."""
        kept = self._settings
        until = time.monotonic() + seconds
        return (
            await self._all("jobs", retention.JOBS_DUE, kept.keep_jobs_hours, retention.expire_jobs, until)
            and await self._all(
                "artifacts", retention.ARTIFACTS_DUE, kept.keep_artifacts_hours, retention.expire_artifacts, until
            )
            and await self._all("files", retention.FILES_DUE, kept.keep_files_hours, retention.expire_files, until)
        )

    async def _all(
        self,
        what: str,
        query: str,
        default_hours: int,
        expire: Callable[[Database, Due], Awaitable[int]],
        until: float,
    ) -> bool:
        """Remove everything of a kind, tenant by tenant; false if the time was up first."""
        for due in await retention.due(self._db, query, default_hours):
            removed = retention.BATCH
            while removed == retention.BATCH:
                if time.monotonic() > until:
                    return False
                if removed := await expire(self._db, due):
                    log.info("expired", what=what, tenant_id=due.tenant_id, removed=removed)
        return True
