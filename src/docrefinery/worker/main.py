"""The worker process: Dramatiq with one slot, runner and courier on its event loop, and a quick, orderly end."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import dramatiq
import structlog
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.middleware import Middleware

from docrefinery.capabilities import missing
from docrefinery.model import FAST, MAINTENANCE, WEBHOOKS
from docrefinery.pipeline.converter import ConverterUnavailable
from docrefinery.services.encryption import rewrap
from docrefinery.services.webhooks.renewal import renew
from docrefinery.store import workers
from docrefinery.store.database import UNREACHABLE
from docrefinery.worker.broker import ACTOR, DELIVERER, DoorbellBroker
from docrefinery.worker.orders import LEFT, Orders
from docrefinery.worker.parts import Parts
from docrefinery.worker.presence import say_alive
from docrefinery.worker.rung import Rung

log = structlog.get_logger(__name__)

STOP_MILLISECONDS = 6000
POLL_MILLISECONDS = 500
"""The most that an idle consumer rests before it asks Redis again, told or not."""


def declare_actors(broker: DoorbellBroker, lifecycle: "OnTheLoop") -> None:
    """Declare the actors: a message says that there may be work, the database says what."""
    assert lifecycle.parts is not None
    runner, courier = lifecycle.parts.runner, lifecycle.parts.courier
    slot, again = asyncio.Lock(), asyncio.Event()

    def takes(queue: str) -> bool:
        # A job taken now would wait for a converter to start or for models while another worker could begin with it.
        return queue in runner.queues and lifecycle.warmed and not (slot.locked() or runner.stopping)

    broker.takes = takes

    async def work(queue: str) -> None:
        await lifecycle.ready.wait()
        again.set()
        # Consumers of two queues may look at the same moment, and one that lost its connection fetches anew. Whoever
        # has the slot looks once more, since it may have been about to leave.
        if slot.locked():
            return
        async with slot:
            try:
                while again.is_set():
                    again.clear()
                    await runner.drain()
            except UNREACHABLE as error:
                log.warning("queue_not_drained", queue=queue, error=str(error))
        # Nudges that came meanwhile were left to others.
        broker.rung.wake()

    async def deliver(queue: str) -> None:
        await lifecycle.ready.wait()
        try:
            await courier.look()
        except UNREACHABLE as error:
            log.warning("deliveries_not_looked_for", queue=queue, error=str(error))

    # A message names its actor, so this one serves every queue of jobs.
    dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=FAST)(work)
    dramatiq.actor(broker=broker, actor_name=DELIVERER, queue_name=WEBHOOKS)(deliver)


class OnTheLoop(Middleware):
    """Opens what lives on the event loop after it is there, and closes it while it still is.

    ``ready`` is set when the pool is open, since consumers may find a message before; ``warmed`` when the converter
    has started for the first time, or failed to.
    """

    def __init__(self) -> None:
        self.parts: Parts | None = None
        self.ready = asyncio.Event()
        self.warmed = False
        self._open = AsyncExitStack()
        self._rung: Rung | None = None
        self._draining: asyncio.Task[None] | None = None

    def after_worker_boot(self, broker: object, worker: object) -> None:  # noqa: ARG002
        """Start the pool, the converter, and the background tasks."""
        assert isinstance(broker, DoorbellBroker)
        self._rung = broker.rung
        _loop().run_coroutine(self._start())

    def take_no_more(self, left: Callable[[], None]) -> None:
        """Have no job claimed any more; ``left`` is called when the one in hand is over."""
        _loop().loop.call_soon_threadsafe(self._take_no_more, left)

    def before_worker_shutdown(self, broker: object, worker: object) -> None:  # noqa: ARG002
        """Give the job in hand back before the threads are waited for."""
        assert isinstance(broker, DoorbellBroker)
        broker.rung.close()
        _loop().loop.call_soon_threadsafe(self._shut_down)

    def after_worker_shutdown(self, broker: object, worker: object) -> None:  # noqa: ARG002
        """Close everything; this comes before ``AsyncIO`` ends the loop, since later middleware goes first here."""
        _loop().run_coroutine(self._open.aclose())

    def _take_no_more(self, left: Callable[[], None]) -> None:
        assert self.parts is not None
        self._draining = asyncio.create_task(self.parts.runner.take_no_more())
        self._draining.add_done_callback(lambda _: left())

    def _shut_down(self) -> None:
        assert self.parts is not None
        self.parts.runner.shut_down()

    async def _start(self) -> None:
        parts = self.parts
        assert parts is not None
        await parts.db.start()
        self._open.push_async_callback(parts.db.close)
        self._open.push_async_callback(_quietly, lambda: workers.remove(parts.db, parts.worker_id))
        self._open.push_async_callback(_quietly, parts.tally.tell)
        await parts.changes.start()
        self._open.push_async_callback(parts.changes.close)
        self._open.push_async_callback(parts.converter.close)
        self._open.push_async_callback(parts.courier.close)
        background = [say_alive(parts), _renew(parts)]
        if parts.converts:
            background.append(self._warm(parts))
        if MAINTENANCE in parts.classes:
            background.append(parts.maintenance.run())
        if WEBHOOKS in parts.classes:
            background.append(parts.bell.run())
        for work in background:
            task = asyncio.create_task(work)
            self._open.push_async_callback(_ended, task)
        self.ready.set()
        log.info("worker_started", worker_id=str(parts.worker_id))

    async def _warm(self, parts: Parts) -> None:
        try:
            await parts.converter.start()
            if lacks := missing(parts.converter.jail):
                log.warning("jail_not_whole", missing=lacks)
        except ConverterUnavailable as error:
            log.error("converter_does_not_start", error=str(error))  # noqa: TRY400 - the message has it all
        finally:
            self.warmed = True
            assert self._rung is not None
            self._rung.wake()


def _loop() -> EventLoopThread:
    thread = get_event_loop_thread()
    assert thread is not None
    return thread


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _quietly(work: Callable[[], Any]) -> None:
    try:
        await work()
    except UNREACHABLE as error:
        log.warning("worker_not_signed_off", error=str(error))


async def _renew(parts: Parts) -> None:
    try:
        await renew(parts.db, parts.secrets)
        await rewrap(parts.db, parts.masters)
    except Exception as error:
        log.warning("secrets_not_renewed", error=str(error), exc_info=not isinstance(error, UNREACHABLE))


def run(broker: DoorbellBroker, lifecycle: OnTheLoop, grace_seconds: float) -> None:
    """Work until SIGTERM or SIGINT.

    SIGTERM lets the job in hand end within the grace time; SIGINT, a second signal, and the end of that time give it
    back to the queue at once.
    """
    with Orders((signal.SIGTERM, signal.SIGINT)) as orders:
        _run(broker, lifecycle, grace_seconds, orders)


def _run(broker: DoorbellBroker, lifecycle: OnTheLoop, grace_seconds: float, orders: Orders) -> None:
    assert lifecycle.parts is not None
    declare_actors(broker, lifecycle)
    # A thread for each queue: with one message of each queue in hand at the most, none waits for the other's.
    queues = set(lifecycle.parts.listens_to)
    threads = max(1, len(queues))
    worker = dramatiq.Worker(broker, queues=queues, worker_threads=threads, worker_timeout=POLL_MILLISECONDS)
    # A second message fetched ahead would wait behind the job in hand while other workers are idle.
    worker.queue_prefetch = 1
    worker.start()
    asked = orders.wait()
    log.info("worker_stops")
    if asked == signal.SIGTERM:
        lifecycle.take_no_more(lambda: orders.say(LEFT))
        orders.wait(grace_seconds)
    worker.stop(timeout=STOP_MILLISECONDS)
    broker.close()
