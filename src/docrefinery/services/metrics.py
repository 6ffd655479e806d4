"""The installation's figures, asked of the database once a second at the most."""

import asyncio
import shutil
import time

import structlog
from msgspec import Struct

from docrefinery.errors import Unavailable
from docrefinery.services.doorbell import JOB_QUEUES
from docrefinery.settings import Settings
from docrefinery.store import metrics
from docrefinery.store.database import SCHEMA_MISSING, UNREACHABLE, Database
from docrefinery.store.metrics import Figures

log = structlog.get_logger(__name__)

KEPT_SECONDS = 1.0


class Disk(Struct, frozen=True):
    """Bytes of a disk, and how many of them are free."""

    size: int
    free: int


class Metrics:
    """Keeps the last figures for a second, however many scrapers ask."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._asking = asyncio.Lock()
        self._known: tuple[float, Figures] | None = None

    async def figures(self) -> Figures | None:
        """Return figures that are no older than a second; ``None`` while the database is away."""
        try:
            return await self._figures()
        except (*UNREACHABLE, *SCHEMA_MISSING, Unavailable, TimeoutError) as error:
            log.warning("figures_not_known", error=str(error))
            return None

    async def disk(self) -> Disk | None:
        """Return how large the disk of the storage folder is; ``None`` where the storage is none of this machine's."""
        if self._settings.storage_folder is None:
            return None
        try:
            usage = await asyncio.to_thread(shutil.disk_usage, self._settings.storage_folder)
        except OSError:
            return None
        return Disk(usage.total, usage.free)

    async def _figures(self) -> Figures:
        async with self._asking:
            if self._known is None or time.monotonic() - self._known[0] > KEPT_SECONDS:
                asked = time.monotonic()
                self._known = asked, await metrics.figures(self._db, self._settings.lease_seconds, JOB_QUEUES)
            return self._known[1]
