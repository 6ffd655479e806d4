"""The worker process: Dramatiq with one slot, runner and courier on its event loop, and a quick, orderly end."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import dramatiq
import psutil
import structlog
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware
from msgspec import Struct

import docrefinery
from docrefinery.capabilities import Ocr
from docrefinery.pipeline.converter import Converter, ConverterUnavailable
from docrefinery.pipeline.runner import Runner
from docrefinery.services.changes import Changes
from docrefinery.services.doorbell import QUEUE, WEBHOOKS
from docrefinery.services.webhooks.courier import Courier
from docrefinery.services.webhooks.renewal import renew
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.store import workers
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.worker.bell import Bell
from docrefinery.worker.broker import ACTOR, DELIVERER
from docrefinery.worker.maintenance import Maintenance
from docrefinery.worker.tally import Tally

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
STOP_MILLISECONDS = 6000
POLL_MILLISECONDS = 100
"""The most that an idle consumer sleeps before it asks Redis again, and so the most that a nudge waits."""


class Parts(Struct, kw_only=True):
    """What a worker is made of; the composition root makes it."""

    worker_id: UUID
    ocr: Ocr | None
    db: Database
    changes: Changes
    converter: Converter
    runner: Runner
    maintenance: Maintenance
    tally: Tally
    courier: Courier
    secrets: Secrets
    bell: Bell


def declare_actors(broker: RedisBroker, runner: Runner, courier: Courier, ready: asyncio.Event) -> None:
    """Declare the actors: a message says that there may be work, the database says what.

    :param ready: set when the pool is open; consumers may find a message before.
    """
    slot = asyncio.Lock()

    async def work(queue: str) -> None:
        await ready.wait()
        # A consumer that lost its connection fetches anew and may find a second message while the first is worked on.
        if slot.locked():
            return
        async with slot:
            try:
                await runner.drain(queue)
            except UNREACHABLE as error:
                log.warning("queue_not_drained", error=str(error))

    async def deliver(queue: str) -> None:
        await ready.wait()
        try:
            await courier.look()
        except UNREACHABLE as error:
            log.warning("deliveries_not_looked_for", queue=queue, error=str(error))

    dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)(work)
    dramatiq.actor(broker=broker, actor_name=DELIVERER, queue_name=WEBHOOKS)(deliver)


class OnTheLoop(Middleware):
    """Opens what lives on the event loop after it is there, and closes it while it still is."""

    def __init__(self) -> None:
        self.parts: Parts | None = None
        self.ready = asyncio.Event()
        self._open = AsyncExitStack()

    def after_worker_boot(self, broker: object, worker: object) -> None:  # noqa: ARG002
        """Start the pool, the converter, and the background tasks."""
        _loop().run_coroutine(self._start())

    def before_worker_shutdown(self, broker: object, worker: object) -> None:  # noqa: ARG002
        """Give the job in hand back before the threads are waited for."""
        assert self.parts is not None
        _loop().loop.call_soon_threadsafe(self.parts.runner.shut_down)

    def after_worker_shutdown(self, broker: object, worker: object) -> None:  # noqa: ARG002
        """Close everything; this comes before ``AsyncIO`` ends the loop, since later middleware goes first here."""
        _loop().run_coroutine(self._open.aclose())

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
        for background in (_warm(parts), _say_alive(parts), _renew(parts), parts.maintenance.run(), parts.bell.run()):
            task = asyncio.create_task(background)
            self._open.push_async_callback(_ended, task)
        self.ready.set()
        log.info("worker_started", worker_id=str(parts.worker_id))


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


async def _warm(parts: Parts) -> None:
    try:
        await parts.converter.start()
    except ConverterUnavailable as error:
        log.error("converter_does_not_start", error=str(error))  # noqa: TRY400 - the message has it all


async def _renew(parts: Parts) -> None:
    try:
        await renew(parts.db, parts.secrets)
    except Exception as error:
        log.warning("secrets_not_renewed", error=str(error), exc_info=not isinstance(error, UNREACHABLE))


async def _say_alive(parts: Parts) -> None:
    process = psutil.Process()
    while True:
        job_id = parts.runner.job_id
        beat = workers.Beat(
            id=parts.worker_id,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            status="IDLE" if job_id is None else "BUSY",
            queues=[QUEUE, WEBHOOKS],
            current_job_id=job_id,
            jobs_done=parts.runner.jobs_done,
            rss_bytes=process.memory_info().rss + parts.converter.rss_bytes,
            version=docrefinery.__version__,
            ocr=parts.ocr,
        )
        try:
            await workers.beat(parts.db, beat)
            await parts.tally.tell()
        except Exception as error:
            log.warning("worker_heartbeat_failed", error=str(error), exc_info=not isinstance(error, UNREACHABLE))
        await asyncio.sleep(HEARTBEAT_SECONDS)


def run(broker: RedisBroker, lifecycle: OnTheLoop) -> None:
    """Work until SIGTERM or SIGINT; the job in hand goes back to the queue."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.set())
    assert lifecycle.parts is not None
    declare_actors(broker, lifecycle.parts.runner, lifecycle.parts.courier, lifecycle.ready)
    # A thread for each queue: with one message of each queue in hand at the most, none waits for the other's.
    worker = dramatiq.Worker(broker, queues={QUEUE, WEBHOOKS}, worker_threads=2, worker_timeout=POLL_MILLISECONDS)
    # A second message fetched ahead would wait behind the job in hand while other workers are idle.
    worker.queue_prefetch = 1
    worker.start()
    asked_to_stop.wait()
    log.info("worker_stops")
    worker.stop(timeout=STOP_MILLISECONDS)
    broker.close()
