"""Consumers hear of nudges at once, and find them all the same where nothing is to be heard."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
import redis
from dramatiq.broker import Consumer, MessageProxy

from docrefinery.services.doorbell import QUEUE, WEBHOOKS
from docrefinery.settings import Settings
from docrefinery.worker.broker import DoorbellBroker, build_broker, nudge
from docrefinery.worker.doorbell import RedisDoorbell
from tests.support.waiting import until

LONG_MILLISECONDS = 60_000
"""Longer than any test waits: what is found within it has been told."""


class Looking:
    """Messages as a worker's thread takes them from a consumer."""

    def __init__(self, consumer: Consumer) -> None:
        self.found: list[MessageProxy] = []
        self.looks = 0
        self._consumer = consumer
        self._ended = Event()

    def run(self) -> None:
        """Take messages until the end."""
        while not self._ended.is_set():
            message = next(self._consumer)
            self.looks += 1
            if message is not None:
                self._consumer.ack(message)
                self.found.append(message)

    def has(self, number: int) -> bool:
        """Whether so many were found."""
        return len(self.found) == number

    def end(self) -> None:
        """Take no more."""
        self._ended.set()


@contextmanager
def looking(broker: DoorbellBroker, queue: str = QUEUE) -> Iterator[Looking]:
    """Take messages of a queue."""
    taken = Looking(broker.consume(queue, 1, LONG_MILLISECONDS))
    thread = Thread(target=taken.run)
    thread.start()
    try:
        yield taken
    finally:
        taken.end()
        broker.rung.close()
        thread.join(10)
        assert not thread.is_alive()


async def test_a_nudge_is_heard_by_a_consumer_that_rests(broker: DoorbellBroker, settings: Settings) -> None:
    other = RedisDoorbell(build_broker(settings.redis_url))
    with looking(broker) as taken:
        await until(lambda: broker.rung.hears)
        for number in range(1, 4):
            await other.ring(QUEUE)
            await until(partial(taken.has, number))
        # One look for each, those around the beginning, and none again and again.
        assert taken.looks < 15


async def test_what_came_before_it_listens_is_found(broker: DoorbellBroker) -> None:
    broker.enqueue(nudge(WEBHOOKS))
    with looking(broker, WEBHOOKS) as taken:
        await until(partial(taken.has, 1))


async def test_only_consumers_of_its_queue_look(broker: DoorbellBroker) -> None:
    with looking(broker) as taken:
        await until(lambda: broker.rung.hears)
        await asyncio.to_thread(broker.enqueue, nudge(WEBHOOKS))
        await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
        await until(partial(taken.has, 1))
    assert broker.client.llen(f"{broker.namespace}:{WEBHOOKS}") == 1


async def test_a_worker_that_is_busy_leaves_it_and_looks_when_it_is_free(broker: DoorbellBroker) -> None:
    busy = True
    broker.takes = lambda _queue: not busy
    with looking(broker) as taken:
        await until(lambda: broker.rung.hears)
        looks = taken.looks
        await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
        await until(lambda: taken.looks > looks)
        assert not taken.found
        busy = False
        broker.rung.wake()
        await until(partial(taken.has, 1))


async def test_a_connection_that_is_cut_is_made_again_and_what_came_meanwhile_is_found(broker: DoorbellBroker) -> None:
    with looking(broker) as taken:
        for number in range(1, 4):
            await until(lambda: broker.rung.hears)
            assert await asyncio.to_thread(broker.client.execute_command, "CLIENT KILL TYPE pubsub") > 0
            await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
            await until(partial(taken.has, number))


async def test_access_lists_without_channels_only_cost_time(broker: DoorbellBroker, settings: Settings) -> None:
    broker.client.execute_command("ACL SETUSER quiet on nopass ~* +@all resetchannels")
    parts = urlsplit(settings.redis_url)
    quiet = build_broker(parts._replace(netloc=f"quiet:any@{parts.netloc.rpartition('@')[2]}").geturl())
    try:
        with pytest.raises(redis.exceptions.NoPermissionError):
            quiet.client.publish(f"{quiet.namespace}:rung", QUEUE)
        with looking(quiet) as taken:
            await asyncio.to_thread(quiet.enqueue, nudge(QUEUE))
            await until(partial(taken.has, 1))
            assert not quiet.rung.hears
    finally:
        quiet.close()
        broker.client.execute_command("ACL DELUSER quiet")
