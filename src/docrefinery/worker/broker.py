"""The broker: Redis or Valkey as a doorbell."""

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Middleware

from docrefinery.services.doorbell import QUEUE, WEBHOOKS

__all__ = ["RedisBroker", "build_broker", "nudge"]

ACTOR = "work"
DELIVERER = "deliver"
_ACTORS = {QUEUE: ACTOR, WEBHOOKS: DELIVERER}
SOCKET_SECONDS = 2.0


def build_broker(url: str, *more: Middleware) -> RedisBroker:
    """Make the broker.

    The middleware, in order: ``AsyncIO`` brings the event loop that actors and the pool run on, ``more`` starts
    what lives on it. Retries, time limits and results are left out: the database knows what is to be done, a lease
    that runs out brings a job back, and the converter's parent ends what takes too long.

    :param url: ``redis://``, ``rediss://`` or ``unix://``.
    """
    client = redis.Redis.from_url(
        url, socket_connect_timeout=SOCKET_SECONDS, socket_timeout=SOCKET_SECONDS, health_check_interval=30
    )
    broker: RedisBroker = RedisBroker(client=client, middleware=[AsyncIO(), *more])  # type: ignore[no-untyped-call]
    for queue in _ACTORS:
        broker.declare_queue(queue)
    return broker


def nudge(queue: str) -> dramatiq.Message[None]:
    """Make the message that wakes a worker; it is built by name, so that senders need not import the actor."""
    return dramatiq.Message(queue_name=queue, actor_name=_ACTORS[queue], args=(queue,), kwargs={}, options={})


UNREACHABLE = (redis.RedisError, OSError, dramatiq.errors.BrokerConnectionError)
"""What the broker raises when its server is away."""
