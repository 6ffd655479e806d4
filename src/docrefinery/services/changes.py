"""Hearing of changes: one LISTEN connection a process wakes whoever waits for a job, and polling stands in for it."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import uuid4

import structlog

from docrefinery.errors import Unavailable
from docrefinery.store.database import UNREACHABLE, Database

log = structlog.get_logger(__name__)

JOBS, CANCELS, SLICES, KEYS = "job_changed", "cancel_requested", "slice_left", "keys_changed"
FALLBACK_SECONDS = 1.0
"""How often a waiter looks while it is not known that changes are heard of."""
HEARING_SECONDS = 20.0
"""And while it is."""
ECHO = "echo_"
ECHO_SECONDS = 5.0
"""How often a process makes sure that it hears: PgBouncer in transaction mode swallows every NOTIFY."""


class Watch:
    """One waiter's ear for one job.

    :param fallback: says after how many seconds to look without having been woken.
    :param channel: the one that it hears; ``None`` hears them all.
    """

    def __init__(self, fallback: Callable[[], float], channel: str | None = None) -> None:
        self._event = asyncio.Event()
        self._fallback = fallback
        self._channel = channel

    def hears(self, channel: str) -> bool:
        """Whether it is for a waiter of what is told there."""
        return self._channel in (None, channel)

    def wake(self) -> None:
        """Let the waiter look."""
        self._event.set()

    async def changed(self, seconds: float) -> None:
        """Return after a change, after the fallback's interval, or after ``seconds``, whichever is first."""
        try:
            async with asyncio.timeout(min(max(seconds, 0), self._fallback())):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


class Changes:
    """Listens for the process's life; reconnects when the connection is lost.

    :param channels: what is listened to: every change of a job, or only requests to cancel one and its pages that
        somebody has left.
    :param on_keys: called when some key or tenant changed.
    :param on_listening: told whether changes are being heard of.
    :param proves: whether it makes sure, again and again, that it hears, so that waiters need not look each second.
    """

    def __init__(
        self,
        db: Database,
        *,
        channels: Sequence[str] = (JOBS,),
        on_keys: Callable[[], None] = lambda: None,
        on_listening: Callable[[bool], None] = lambda _: None,
        proves: bool = False,
    ) -> None:
        self._db = db
        self._channels = channels
        self._on_keys = on_keys
        self._on_listening = on_listening
        self.ending = False
        self._echo = f"{ECHO}{uuid4().hex}" if proves else ""
        self._echoed = asyncio.Event()
        self._hears = False
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
        self._wake_all()

    @contextmanager
    def watching(self, job_id: int, channel: str | None = None) -> Iterator[Watch]:
        """Be woken when something is told of the job.

        :param channel: where; ``None`` is wherever this listens.
        """
        watch = Watch(self._fallback, channel)
        self._watches[job_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[job_id].discard(watch)
            if not self._watches[job_id]:
                del self._watches[job_id]

    def _fallback(self) -> float:
        # Those who were woken together need not look together again.
        return HEARING_SECONDS * random.uniform(0.75, 1.25) if self._hears else FALLBACK_SECONDS  # noqa: S311

    def _wake_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    async def _listen(self) -> None:
        channels = (*self._channels, KEYS, *([self._echo] if self._echo else []))
        while True:
            try:
                async with self._db.listening(*channels, heard=self._heard) as connection:
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    self._on_keys()
                    self._on_listening(True)  # noqa: FBT003
                    await self._listen_until(lost)
            except Exception as error:
                log.warning("listening_failed", error=str(error), exc_info=not isinstance(error, UNREACHABLE))
            finally:
                self._hear(False)  # noqa: FBT003
                self._on_listening(False)  # noqa: FBT003
                self._on_keys()
            await asyncio.sleep(FALLBACK_SECONDS)

    async def _listen_until(self, lost: asyncio.Event) -> None:
        """Return when the connection is lost; until then make sure of what is heard, if somebody wants to know."""
        while self._echo and not lost.is_set():
            self._echoed.clear()
            try:
                async with asyncio.timeout(ECHO_SECONDS):
                    await self._db.notify(self._echo)
                    await self._echoed.wait()
                self._hear(True)  # noqa: FBT003
            except (TimeoutError, Unavailable, *UNREACHABLE):
                self._hear(False)  # noqa: FBT003
            with suppress(TimeoutError):
                async with asyncio.timeout(ECHO_SECONDS):
                    await lost.wait()
        await lost.wait()

    def _hear(self, hears: bool) -> None:  # noqa: FBT001 - what it is set to
        lost, self._hears = self._hears and not hears, hears
        if lost:
            # They may have missed something, and look often from now on.
            self._wake_all()

    def _heard(self, channel: str, payload: str) -> None:
        if channel == self._echo:
            self._echoed.set()
            return
        if channel == KEYS:
            self._on_keys()
            return
        for watch in self._watches.get(int(payload), ()):
            if watch.hears(channel):
                watch.wake()
