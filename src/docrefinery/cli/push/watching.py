"""Any number of jobs followed over one connection: a held answer about the oldest, then one list of what changed."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from docrefinery.client import AsyncClient, Expired, Job, NotFound

SPACING_SECONDS = 1.0
"""Between two lists of changes; the answers are held in between."""
HELD_SECONDS = 5
"""How long the oldest job may keep silent while others wait too; alone it may do so for longer."""


class Watching:
    """Knows the state of jobs that are not finished.

    :param tell: is called with the oldest job as it comes along.
    """

    def __init__(self, client: AsyncClient, tell: Callable[[Job], None]) -> None:
        self._client = client
        self._tell = tell
        self._waiting: dict[int, asyncio.Future[Job]] = {}
        self._since: datetime | None = None
        self._some = asyncio.Event()

    async def finished(self, job_id: int, since: datetime) -> Job:
        """Return a job when it is finished.

        :param since: a time, by the service's clock, before which it was not finished.
        """
        future = self._waiting.setdefault(job_id, asyncio.get_running_loop().create_future())
        self._go_back(since)
        self._some.set()
        return await asyncio.shield(future)

    async def run(self) -> None:
        """Follow what there is to follow, until canceled."""
        while True:
            await self._some.wait()
            await self._look_at_oldest()
            if self._since is not None and self._waiting:
                await self._look_at_changes(self._since)
            if not self._waiting:
                self._some.clear()
                self._since = None
            await asyncio.sleep(SPACING_SECONDS)

    async def _look_at_oldest(self) -> None:
        oldest = next(iter(self._waiting))
        try:
            job = await self._client.job(oldest, held=HELD_SECONDS if len(self._waiting) > 1 else 30)
        except (NotFound, Expired) as error:
            self._waiting.pop(oldest).set_exception(error)
            return
        self._tell(job)
        self._note(job)

    async def _look_at_changes(self, since: datetime) -> None:
        self._since, last = None, since
        async for job in self._client.jobs(updated_after=since, page_size=200):
            last = max(last, job.modified_at)
            self._note(job)
        # Whoever came meanwhile may have come with an earlier time.
        self._go_back(last)

    def _go_back(self, to: datetime) -> None:
        self._since = to if self._since is None else min(self._since, to)

    def _note(self, job: Job) -> None:
        if job.finished and (future := self._waiting.pop(job.id, None)) is not None:
            future.set_result(job)
