"""The installation's figures, asked of the database once a second at the most."""

import asyncio
import time

from docrefinery.services.doorbell import JOB_QUEUES
from docrefinery.settings import Settings
from docrefinery.store import metrics
from docrefinery.store.database import Database
from docrefinery.store.metrics import Figures

KEPT_SECONDS = 1.0


class Metrics:
    """Keeps the last figures for a second, however many scrapers ask."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._asking = asyncio.Lock()
        self._known: tuple[float, Figures] | None = None

    async def figures(self) -> Figures:
        """Return figures that are no older than a second."""
        async with self._asking:
            if self._known is None or time.monotonic() - self._known[0] > KEPT_SECONDS:
                asked = time.monotonic()
                self._known = asked, await metrics.figures(self._db, self._settings.lease_seconds, JOB_QUEUES)
            return self._known[1]
