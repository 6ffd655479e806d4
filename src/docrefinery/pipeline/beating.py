"""Keeping a lease: heartbeats with page progress, stages as they begin, and the news that a job must stop."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Literal, Protocol, Self

import structlog

from docrefinery.model import Stage
from docrefinery.pipeline.outcomes import Progress
from docrefinery.store import claims
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.records import ClaimRecord

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
Stop = Literal["cancel", "lost", "shutdown"]


class Watch(Protocol):
    """Somebody who hears of cancels."""

    async def changed(self, seconds: float) -> None:
        """Return after a hint or after ``seconds``."""


Watching = Callable[[int], AbstractContextManager[Watch]]


class Lease:
    """A claimed job while it is worked on.

    :param on_stop: called once, when the work has to end early.
    """

    def __init__(
        self, db: Database, claim: ClaimRecord, seconds: float, watching: Watching, on_stop: Callable[[], None]
    ) -> None:
        self.stop: Stop | None = None
        self.stopped = asyncio.Event()
        self._db = db
        self._claim = claim
        self._seconds = seconds
        self._watching = watching
        self._on_stop = on_stop
        self._progress: Progress | None = None
        self._stages: asyncio.Queue[Stage] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._tell_stages())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def end(self, reason: Stop) -> None:
        """End the work early; the first reason counts."""
        if self.stop is None:
            self.stop = reason
            self.stopped.set()
            self._on_stop()

    def on_progress(self, progress: Progress) -> None:
        """Take news from the converter; they go out with the next beat, a new stage at once."""
        if progress.stage != (self._progress.stage if self._progress else Stage.CONVERTING):
            self._stages.put_nowait(progress.stage)
        self._progress = progress

    async def stages_told(self) -> None:
        """Wait until every stage so far is in the database, or the work has to end."""
        told = asyncio.create_task(self._stages.join())
        stopped = asyncio.create_task(self.stopped.wait())
        await asyncio.wait((told, stopped), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        stopped.cancel()

    @property
    def pages_done(self) -> int:
        """Pages converted so far."""
        return self._progress.pages_done if self._progress else 0

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        held_until = loop.time() + self._seconds
        with self._watching(self._claim.job_id) as watch:
            while self.stop is None:
                try:
                    beat = await self._one_beat()
                except (*UNREACHABLE, TimeoutError) as error:
                    log.warning("heartbeat_failed", error=str(error))
                    if loop.time() > held_until:
                        self.end("lost")
                else:
                    held_until = loop.time() + self._seconds
                    if beat != "held":
                        self.end(beat)
                await watch.changed(BEAT_SECONDS)

    async def _one_beat(self) -> claims.Beat:
        progress = self._progress
        return await claims.beat(
            self._db,
            self._claim,
            timedelta(seconds=self._seconds),
            pages_done=progress.pages_done if progress else 0,
            pages_total=(progress.pages_total or None) if progress else None,
        )

    async def _tell_stages(self) -> None:
        while True:
            stage = await self._stages.get()
            try:
                await claims.enter_stage(self._db, self._claim, stage)
            except claims.LeaseLost:
                self.end("lost")
            except (*UNREACHABLE, TimeoutError) as error:
                log.warning("stage_not_told", stage=stage, error=str(error))
            self._stages.task_done()
