"""What a worker holds a lease on, as :mod:`.beating` keeps it."""

from collections.abc import Callable
from datetime import timedelta

from docrefinery.model import Stage
from docrefinery.pipeline.outcomes import Progress
from docrefinery.store import claims, slices
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord, SliceRecord


class HeldJob:
    """A job."""

    def __init__(self, db: Database, claim: ClaimRecord) -> None:
        self._db = db
        self._claim = claim

    @property
    def job_id(self) -> int:
        """Its number."""
        return self._claim.job_id

    async def beat(self, lease: timedelta, progress: Progress | None) -> claims.Beat:
        """Extend its lease; see :class:`~docrefinery.pipeline.beating.Held`."""
        done, total = _pages(progress)
        return await claims.beat(self._db, self._claim, lease, pages_done=done, pages_total=total)

    async def enter_stage(self, stage: Stage, progress: Progress | None) -> None:
        """Note that a stage begins; see :class:`~docrefinery.pipeline.beating.Held`."""
        done, total = _pages(progress)
        await claims.enter_stage(self._db, self._claim, stage, pages_done=done, pages_total=total)


class HeldPages:
    """Pages of a job.

    :param told: called with each heartbeat: how many pages of the job are done, by everybody.
    """

    def __init__(self, db: Database, taken: SliceRecord, told: Callable[[int], None]) -> None:
        self._db = db
        self._taken = taken
        self._told = told

    @property
    def job_id(self) -> int:
        """Number of their job."""
        return self._taken.job_id

    async def beat(self, lease: timedelta, progress: Progress | None) -> claims.Beat:
        """Extend their lease; see :class:`~docrefinery.pipeline.beating.Held`."""
        done, _ = _pages(progress)
        beat, pages = await slices.beat(self._db, self._taken, lease, pages_done=done)
        if beat == "held":
            self._told(pages)
        return beat

    async def enter_stage(self, stage: Stage, progress: Progress | None) -> None:
        """Pass over what pages have none of."""


def _pages(progress: Progress | None) -> tuple[int, int | None]:
    """Return how many pages are done, and of how many if that is known."""
    return (progress.pages_done, progress.pages_total or None) if progress else (0, None)
