"""Whether the database's clock goes as time does: leases are on it, and a jump would take every job from its worker."""

import time
from datetime import datetime, timedelta

import structlog
from msgspec import Struct

from docrefinery.store import clock
from docrefinery.store.database import Database

log = structlog.get_logger(__name__)

TOLERATED = 0.25
"""Of a lease. What is left of one that is extended each second lasts for longer than that."""


class _Look(Struct, frozen=True):
    """What time it was for the database, at some moment between two of this process's."""

    asked: float
    told: float
    now: datetime


class DatabaseClock:
    """Compares, from one look to the next, how far the database's clock moved with how much time went by.

    Time is the monotonic clock of the machine, which nobody sets. Every sweeper looks for itself before it takes
    anything from anybody, so that they need not tell each other.
    """

    def __init__(self, db: Database, lease_seconds: float) -> None:
        self._db = db
        self._lease_seconds = lease_seconds
        self._last: _Look | None = None

    async def steady(self) -> bool:
        """Return whether it moved as time did since the look before; at the first one nobody knows.

        If not, forward or back, every lease begins anew: a worker that lives extends its own within a second, and one
        that does not is found out a lease's length later.
        """
        asked = time.monotonic()
        now = await clock.now(self._db)
        look, last = _Look(asked, time.monotonic(), now), self._last
        if last is not None:
            moved = (look.now - last.now).total_seconds()
            ahead, behind = moved - (look.told - last.asked), (look.asked - last.told) - moved
            if max(ahead, behind) > self._lease_seconds * TOLERATED:
                leases = await clock.begin_leases_anew(self._db, timedelta(seconds=self._lease_seconds))
                log.warning("database_clock_jumped", seconds=round(max(ahead, -behind), 1), leases=leases)
                last = None
        # Not before the leases are safe: if that failed, the next look finds the jump again.
        self._last = look
        return last is not None
