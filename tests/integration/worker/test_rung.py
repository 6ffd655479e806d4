"""Consumers hear of nudges at once, and find them all the same where nothing is to be heard."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event, Thread
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlsplit

import pytest
import redis
from dramatiq.broker import Consumer, MessageProxy

from docrefinery.services.doorbell import MODELS, QUEUE, WEBHOOKS
from docrefinery.settings import Settings
from docrefinery.worker.broker import ACTOR, DoorbellBroker, build_broker, nudge
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.main import OnTheLoop, declare_actors
from docrefinery.worker.parts import Parts
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
def looking(broker: DoorbellBroker, queue: str = QUEUE, milliseconds: int = LONG_MILLISECONDS) -> Iterator[Looking]:
    """Take messages of a queue."""
    taken = Looking(broker.consume(queue, 1, milliseconds))
    thread = Thread(target=taken.run)
    thread.start()
    try:
        yield taken
    finally:
        taken.end()
        broker.rung.close()
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "error", [redis.TimeoutError("no answer"), redis.ConnectionError("refused"), ValueError("odd")]
)
def test_a_consumer_whose_acknowledgement_is_lost_goes_on_looking(broker: DoorbellBroker, error: Exception) -> None:
    consumer = broker.consume(QUEUE, 1, 100)

    def lost(*_: object) -> None:
        raise error

    for tell in ("ack", "nack"):
        broker.enqueue(nudge(QUEUE))
        broker.enqueue(nudge(QUEUE))
        message = next(consumer)
        assert message is not None
        with pytest.MonkeyPatch.context() as patched, suppress(ValueError):
            patched.setattr(broker, f"do_{tell}", lost, raising=False)
            getattr(consumer, tell)(message)
        following = next(consumer)
        assert following is not None
        consumer.ack(following)


async def test_a_nudge_is_heard_by_a_consumer_that_rests(broker: DoorbellBroker, settings: Settings) -> None:
    other = RedisDoorbell(build_broker(settings.redis_url))
    with looking(broker) as taken:
        await until(lambda: broker.rung.hears)
        looks = taken.looks
        for number in range(1, 4):
            await other.ring(QUEUE)
            await until(partial(taken.has, number))
        # One that finds it and one after it, each; and those around the beginning.
        assert taken.looks - looks < 10


async def test_who_finds_what_it_is_told_of_never_rests_and_others_do_not_look_each_time(
    broker: DoorbellBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docrefinery.worker.broker.VAIN_SECONDS", 60)
    with looking(broker) as taken:
        await until(lambda: broker.rung.hears)
        for number in range(1, 11):
            await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
            await until(partial(taken.has, number))
        monkeypatch.setattr("docrefinery.worker.broker.VAIN_SECONDS", 0.5)
        looks = taken.looks
        for _ in range(100):
            # Of one that somebody else has found.
            broker.rung.tell(QUEUE)
            await asyncio.sleep(0.01)
        assert taken.looks - looks < 20


async def test_a_nudge_that_nobody_told_of_is_found_all_the_same(
    broker: DoorbellBroker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = build_broker(settings.redis_url)
    monkeypatch.setattr(earlier.rung, "tell", lambda _queue: None)
    with looking(broker, WEBHOOKS, 300) as taken:
        await until(lambda: broker.rung.hears)
        await asyncio.to_thread(earlier.enqueue, nudge(WEBHOOKS))
        await until(partial(taken.has, 1))


async def test_what_comes_while_one_is_in_hand_is_found_when_that_is_done(broker: DoorbellBroker) -> None:
    def found() -> MessageProxy:
        while (message := next(consumer)) is None:
            pass
        return message

    consumer, told = broker.consume(QUEUE, 1, LONG_MILLISECONDS), broker.rung.event(QUEUE)
    await until(lambda: broker.rung.hears)
    await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
    first = await asyncio.to_thread(found)
    await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
    await until(told.is_set)
    second = asyncio.ensure_future(asyncio.to_thread(found))
    # It has taken notice, and rests.
    await until(lambda: not told.is_set())
    consumer.ack(first)
    async with asyncio.timeout(20):
        assert (await second).message_id != first.message_id


async def test_only_consumers_of_its_queue_are_woken(broker: DoorbellBroker) -> None:
    with looking(broker) as taken:
        await until(lambda: broker.rung.hears)
        looks = taken.looks
        for _ in range(20):
            await asyncio.to_thread(broker.enqueue, nudge(WEBHOOKS))
            await asyncio.sleep(0.06)  # longer than it rests after a look in vain
        await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
        await until(partial(taken.has, 1))
        assert taken.looks - looks < 10


async def test_a_worker_that_has_done_its_job_looks_into_all_of_its_queues(broker: DoorbellBroker) -> None:
    class Runner:
        queues, stopping, drained = (QUEUE, MODELS), False, 0

        async def drain(self) -> None:
            self.drained += 1
            broker.rung.event(MODELS).clear()

    lifecycle, runner = OnTheLoop(), Runner()
    lifecycle.parts = cast("Parts", SimpleNamespace(runner=runner, courier=None))
    lifecycle.ready.set()
    declare_actors(broker, lifecycle)
    # A job that it took before its converter is there would wait, beside a worker that could begin with it.
    assert not broker.takes(QUEUE)
    lifecycle.warmed = True
    assert broker.takes(QUEUE)
    await inspect.unwrap(broker.get_actor(ACTOR).fn)(QUEUE)
    assert runner.drained == 1
    assert broker.rung.event(MODELS).is_set()


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
            # It may be about to come back.
            await until(lambda: broker.client.execute_command("CLIENT KILL TYPE pubsub") > 0)
            await asyncio.to_thread(broker.enqueue, nudge(QUEUE))
            await until(partial(taken.has, number))


async def test_a_broker_that_was_away_is_looked_at_as_soon_as_it_is_back(
    broker: DoorbellBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, fetch = [], broker.do_fetch

    def away(queue: str, count: int) -> list[bytes]:
        looks.append(queue)
        if len(looks) < 3:
            raise redis.ConnectionError("it is away")
        if len(looks) < 5:
            raise redis.TimeoutError("it hangs")
        found: list[bytes] = fetch(queue, count)
        return found

    monkeypatch.setattr(broker, "do_fetch", away)
    broker.enqueue(nudge(QUEUE))
    with looking(broker, QUEUE, 200) as taken:
        # Dramatiq would have ended the consumer, and this thread with it.
        await until(partial(taken.has, 1))


async def test_access_lists_without_channels_only_cost_time(broker: DoorbellBroker, settings: Settings) -> None:
    broker.client.execute_command("ACL SETUSER quiet on nopass ~* +@all resetchannels")
    parts = urlsplit(settings.redis_url)
    quiet = build_broker(parts._replace(netloc=f"quiet:any@{parts.netloc.rpartition('@')[2]}").geturl())
    try:
        with pytest.raises(redis.exceptions.NoPermissionError):
            quiet.client.publish("dramatiq:0:rung", QUEUE)
        with looking(quiet) as taken:
            await asyncio.to_thread(quiet.enqueue, nudge(QUEUE))
            await until(partial(taken.has, 1))
            assert not quiet.rung.hears
    finally:
        quiet.close()
        broker.client.execute_command("ACL DELUSER quiet")
