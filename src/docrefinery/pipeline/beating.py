"""Keeping a lease: heartbeats with page progress, stages as they begin, and the news that a job must stop."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Literal, Protocol, Self, TypeVar

import structlog

from docrefinery.model import Stage
from docrefinery.pipeline.outcomes import Canceled, Progress
from docrefinery.store import claims
from docrefinery.store.database import UNREACHABLE

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
T = TypeVar("T")
Stop = Literal["cancel", "lost", "shutdown"]


class Watch(Protocol):
    """Somebody who hears of what befalls a job: of cancels, or of pages that were left."""

    async def changed(self, seconds: float) -> None:
        """Return after a hint or after ``seconds``."""


Watching = Callable[[int], AbstractContextManager[Watch]]


class Held(Protocol):
    """A job, or pages of one, that somebody holds a lease on."""

    @property
    def job_id(self) -> int:
        """Number of the job."""

    async def beat(self, lease: timedelta, progress: Progress | None) -> claims.Beat:
        """Extend the lease, note how far the work is, and learn whether to go on."""

    async def enter_stage(self, stage: Stage, progress: Progress | None) -> None:
        """Note that a stage begins, and how far the work is by then.

        :raises LeaseLost: if the job is somebody else's by now.
        """


class Lease:
    """What is held while it is worked on.

    :param seconds: how long a lease lasts after a heartbeat.
    :param on_stop: called once, when the work has to end early.
    """

    def __init__(self, held: Held, seconds: float, watching: Watching, on_stop: Callable[[], None]) -> None:
        self.stop: Stop | None = None
        self.stopped = asyncio.Event()
        self._held = held
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

    @property
    def progress(self) -> Progress | None:
        """What the converter said last."""
        return self._progress

    async def stages_told(self) -> None:
        """Wait until every stage so far is in the database, or the work has to end."""
        await self.unless_stopped(self._stages.join())

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | Canceled:
        """Do the work, or leave it where it is once it has to end."""
        working, stopped = asyncio.create_task(work), asyncio.create_task(self.stopped.wait())
        try:
            await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
            return await working if working.done() else Canceled()
        finally:
            working.cancel()
            stopped.cancel()
            await asyncio.gather(working, stopped, return_exceptions=True)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        held_until = loop.time() + self._seconds
        with self._watching(self._held.job_id) as watch:
            while self.stop is None:
                try:
                    beat = await self._one_beat()
                except Exception as error:
                    log.warning("heartbeat_failed", error=str(error), exc_info=not isinstance(error, UNREACHABLE))
                    if loop.time() > held_until:
                        self.end("lost")
                else:
                    held_until = loop.time() + self._seconds
                    if beat != "held":
                        self.end(beat)
                await watch.changed(BEAT_SECONDS)

    async def _one_beat(self) -> claims.Beat:
        # A server that went away without a word must not keep the next beat from being tried in time.
        async with asyncio.timeout(self._seconds / 3):
            return await self._held.beat(timedelta(seconds=self._seconds), self._progress)

    async def _tell_stages(self) -> None:
        while True:
            stage = await self._stages.get()
            try:
                await self._held.enter_stage(stage, self._progress)
            except claims.LeaseLost:
                self.end("lost")
            except Exception as error:  # noqa: BLE001 - a stage that is not told costs nobody the work
                log.warning("stage_not_told", stage=stage, error=str(error))
            finally:
                self._stages.task_done()
