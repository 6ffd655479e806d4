"""Hearing of changes: one LISTEN connection a process wakes whoever waits for a job, and polling stands in for it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from docrefinery.store.database import UNREACHABLE, Database

log = structlog.get_logger(__name__)

JOBS, CANCELS, SLICES, KEYS = "job_changed", "cancel_requested", "slice_left", "keys_changed"
FALLBACK_SECONDS = 1.0


class Watch:
    """One waiter's ear for one job."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Let the waiter look."""
        self._event.set()

    async def changed(self, seconds: float) -> None:
        """Return after a change, after the fallback's interval, or after ``seconds``, whichever is first."""
        try:
            await asyncio.wait_for(self._event.wait(), min(max(seconds, 0), FALLBACK_SECONDS))
        except TimeoutError:
            return
        self._event.clear()


class Changes:
    """Listens for the process's life; reconnects when the connection is lost.

    :param channels: what is listened to: every change of a job, or only requests to cancel one and its pages that
        somebody has left.
    :param on_keys: called when some key or tenant changed.
    :param on_listening: told whether changes are being heard of.
    """

    def __init__(
        self,
        db: Database,
        *,
        channels: Sequence[str] = (JOBS,),
        on_keys: Callable[[], None] = lambda: None,
        on_listening: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._db = db
        self._channels = channels
        self._on_keys = on_keys
        self._on_listening = on_listening
        self.ending = False
        self._watches: dict[int, set[Watch]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start listening in the background."""
        self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def let_go(self) -> None:
        """Wake everybody for the last time: the process stops, and ``ending`` says so."""
        self.ending = True
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    @contextmanager
    def watching(self, job_id: int) -> Iterator[Watch]:
        """Be woken when the job changes."""
        watch = Watch()
        self._watches[job_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[job_id].discard(watch)
            if not self._watches[job_id]:
                del self._watches[job_id]

    async def _listen(self) -> None:
        while True:
            try:
                async with self._db.listening(*self._channels, KEYS, heard=self._heard) as connection:
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    self._on_keys()
                    self._on_listening(True)  # noqa: FBT003
                    await lost.wait()
            except Exception as error:
                log.warning("listening_failed", error=str(error), exc_info=not isinstance(error, UNREACHABLE))
            finally:
                self._on_listening(False)  # noqa: FBT003
                self._on_keys()
            await asyncio.sleep(FALLBACK_SECONDS)

    def _heard(self, channel: str, payload: str) -> None:
        if channel == KEYS:
            self._on_keys()
            return
        for watch in self._watches.get(int(payload), ()):
            watch.wake()
