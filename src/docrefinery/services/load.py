"""How much the installation can take in: whether its queue is too long, and its disk too full, for another document."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from msgspec import Struct

from docrefinery.errors import Unavailable
from docrefinery.settings import Settings
from docrefinery.store import quotas
from docrefinery.store.database import Database
from docrefinery.store.wall import across_tenants

log = structlog.get_logger(__name__)

KNOWN_SECONDS = 1.0
RETRY_AFTER = 30
_MEBI = 1024 * 1024


class Arrival(Struct, eq=False):
    """An upload on its way; ``left`` are the bytes that may still come."""

    left: int


class Load:
    """Looks before something is taken in. Both looks can be switched off, and cost nothing then."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._most = settings.max_queue_depth
        self._folder = settings.storage_folder if settings.min_free_disk_mb else None
        self._reserve = settings.min_free_disk_mb * _MEBI
        self._arrivals: set[Arrival] = set()
        self._asking = asyncio.Lock()
        self._depth, self._until = 0, 0.0

    async def check_queue(self) -> None:
        """Raise :class:`Unavailable` if too many jobs are queued; the number may be a second old.

        Not to be called in a transaction: that sees one tenant's jobs, and holds what others here may wait for.
        """
        if not self._most:
            return
        async with self._asking:
            if time.monotonic() >= self._until:
                with across_tenants():
                    self._depth = await quotas.queue_depth(self._db)
                self._until = time.monotonic() + KNOWN_SECONDS
        if self._depth >= self._most:
            log.warning("queue_too_long", depth=self._depth)
            raise Unavailable("The service has too many jobs queued; try again later.", retry_after=RETRY_AFTER)

    @asynccontextmanager
    async def arriving(self, size: int) -> AsyncIterator[Arrival]:
        """Make room for an upload while it is on its way.

        :param size: the most bytes that it can have.
        :raises Unavailable: if the disk of the storage folder would be too full, counting what else is arriving here,
            or is not there.
        """
        arrival = Arrival(size)
        if self._folder is not None:
            free = await self._free(self._folder)
            if free - size - sum(max(other.left, 0) for other in self._arrivals) < self._reserve:
                log.warning("disk_too_full", free_bytes=free)
                raise Unavailable("The storage is nearly full; try again later.", retry_after=RETRY_AFTER)
        self._arrivals.add(arrival)
        try:
            yield arrival
        finally:
            self._arrivals.discard(arrival)

    async def _free(self, folder: Path) -> int:
        try:
            return (await asyncio.to_thread(shutil.disk_usage, folder)).free
        except OSError as error:
            log.warning("storage_folder_gone", error=str(error))
            raise Unavailable("The storage does not take the file at the moment; try again later.") from error
