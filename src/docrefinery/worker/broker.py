"""The broker: Redis or Valkey as a doorbell."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import dramatiq
import redis
import structlog
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Middleware

from docrefinery.services.doorbell import JOB_QUEUES, WEBHOOKS
from docrefinery.worker.rung import Rung

__all__ = ["DoorbellBroker", "build_broker", "nudge"]

log = structlog.get_logger(__name__)

ACTOR = "work"
DELIVERER = "deliver"
_ACTORS = {**dict.fromkeys(JOB_QUEUES, ACTOR), WEBHOOKS: DELIVERER}
SOCKET_SECONDS = 2.0
UNHEARD_SECONDS = 0.1
"""How long a consumer rests between two looks while nobody could tell it of a message."""
VAIN_LOOKS, VAIN_SECONDS = 4, 0.05
"""After so many looks without a message comes a rest, told or not: of all who are told of a nudge, one finds it."""


class DoorbellBroker(RedisBroker):
    """A broker whose worker leaves the nudges for jobs to others while it works on one, whichever queue it came from.

    ``takes`` is asked before each look into a queue of jobs. Dramatiq's queues for messages that are to wait are not
    looked into: a nudge does not wait. A look also tells Redis that a worker lives: the nudge of one that takes no
    deliveries and is busy for a minute comes back, and somebody looks in vain.

    :ivar rung: tells consumers when to look.
    """

    takes: Callable[[str], bool] = staticmethod(lambda _queue: True)

    def __init__(self, client: redis.Redis, middleware: list[Middleware]) -> None:
        super().__init__(client=client, middleware=middleware)  # type: ignore[no-untyped-call]
        self.rung = Rung(client)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Put a message into its queue, and tell the consumers."""
        message = super().enqueue(message, delay=delay)
        self.rung.tell(message.queue_name)
        return message

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Make the consumer of a queue."""
        # Dramatiq's own sleeps for as long as it may before it says that there is nothing.
        consumer = super().consume(queue_name, prefetch, 1)

        def takes() -> bool:
            return queue_name == WEBHOOKS or (queue_name in JOB_QUEUES and self.takes(queue_name))

        return _Woken(consumer, takes, self.rung, queue_name, prefetch, timeout / 1000)

    def close(self) -> None:
        """Hear no more."""
        self.rung.close()
        super().close()


class _Woken(Consumer):
    """A consumer that looks when there may be something, and only while its worker takes what it finds."""

    def __init__(
        self, consumer: Consumer, takes: Callable[[], bool], rung: Rung, queue: str, prefetch: int, seconds: float
    ) -> None:
        self._consumer = consumer
        # For messages in hand: with as many as it may have, Dramatiq's consumer does not look.
        self._room = threading.Semaphore(prefetch)
        self._vain = 0
        self._takes = takes
        self._rung = rung
        self._event = rung.event(queue)
        self._seconds = seconds

    def ack(self, message: MessageProxy) -> None:
        """Pass it on, and look again."""
        self._end(self._consumer.ack, message)

    def nack(self, message: MessageProxy) -> None:
        """Pass it on, and look again."""
        self._end(self._consumer.nack, message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Pass it on."""
        self._consumer.requeue(messages)

    def __next__(self) -> MessageProxy | None:
        """Return the next message, or ``None`` after a while."""
        # Before the look: what comes during it is not missed.
        self._event.clear()
        if self._takes() and self._room.acquire(blocking=False):
            if (message := self._look()) is not None:
                self._vain = 0
                return message
            self._room.release()
            self._vain += 1
            if self._vain > VAIN_LOOKS:
                time.sleep(VAIN_SECONDS)
        self._event.wait(self._seconds if self._rung.hears else UNHEARD_SECONDS)
        return None

    def _look(self) -> MessageProxy | None:
        try:
            return next(self._consumer)
        except AWAY as error:
            # Dramatiq would make another consumer after three seconds, in which Redis may have been back for long.
            log.debug("broker_away", error=str(error))
            return None

    def close(self) -> None:
        """Pass it on."""
        self._consumer.close()

    def _end(self, tell: Callable[[MessageProxy], None], message: MessageProxy) -> None:
        try:
            tell(message)
        except AWAY as error:
            # It is given to somebody once this worker is gone, and one nudge too many harms nobody.
            log.warning("nudge_not_acknowledged", error=str(error))
        finally:
            self._room.release()
            self._event.set()


def build_broker(url: str, *more: Middleware) -> DoorbellBroker:
    """Make the broker.

    The middleware, in order: ``AsyncIO`` brings the event loop that actors and the pool run on, ``more`` starts
    what lives on it. Retries, time limits and results are left out: the database knows what is to be done, a lease
    that runs out brings a job back, and the converter's parent ends what takes too long.

    :param url: ``redis://``, ``rediss://`` or ``unix://``.
    """
    client = redis.Redis.from_url(
        url, socket_connect_timeout=SOCKET_SECONDS, socket_timeout=SOCKET_SECONDS, health_check_interval=30
    )
    broker = DoorbellBroker(client, [AsyncIO(), *more])
    for queue in _ACTORS:
        broker.declare_queue(queue)
    return broker


def nudge(queue: str) -> dramatiq.Message[None]:
    """Make the message that wakes a worker; it is built by name, so that senders need not import the actor."""
    return dramatiq.Message(queue_name=queue, actor_name=_ACTORS[queue], args=(queue,), kwargs={}, options={})


AWAY = (dramatiq.errors.ConnectionClosed, redis.ConnectionError, redis.TimeoutError)
"""What a look raises while Redis is away; the listening :class:`~docrefinery.worker.rung.Rung` says so."""
UNREACHABLE = (redis.RedisError, OSError, dramatiq.errors.BrokerConnectionError)
"""What the broker raises when its server is away."""
