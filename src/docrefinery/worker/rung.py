"""Consumers hear of a nudge as soon as it is in its queue, instead of looking for one again and again."""

import threading
from contextlib import suppress

import redis
import structlog

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
HEARING_SECONDS = 1.0
"""How long a look at the connection waits for the next message, and so how late the end is seen."""


class Rung:
    """What is told with each nudge, over Redis' publish and subscribe.

    Nobody relies on it: Redis' access lists may not permit it, who rings may be of an earlier release, and a connection
    may be lost. So consumers look by themselves too, and more often while it cannot be heard.

    :param client: of the Redis that has the queues; channels are the same for all of its numbered databases.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._channel = f"dramatiq:{client.get_connection_kwargs().get('db', 0)}:rung"
        self._events: dict[bytes, threading.Event] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._hears = False
        self._last_said = True

    @property
    def hears(self) -> bool:
        """Whether it would hear of a nudge now."""
        return self._hears and not self._ended.is_set()

    def event(self, queue: str) -> threading.Event:
        """Return what is set when there may be something in a queue; from the first one on, it listens."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="rung", daemon=True)
                self._thread.start()
            return self._events.setdefault(queue.encode(), threading.Event())

    def tell(self, queue: str) -> None:
        """Tell all who listen that something is in a queue."""
        # It is there already, and found without this: whoever cannot listen says so.
        with suppress(redis.RedisError):
            self._client.publish(self._channel, queue)

    def wake(self) -> None:
        """Have all consumers of this process look now."""
        for event in list(self._events.values()):
            event.set()

    def close(self) -> None:
        """Listen no more."""
        self._ended.set()
        self.wake()

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                self._hear()
            except (redis.RedisError, OSError) as error:
                self._say(heard=False, error=str(error))
                self._ended.wait(RETRY_SECONDS)

    def _hear(self) -> None:
        try:
            with self._client.pubsub() as told:  # type: ignore[no-untyped-call]
                told.subscribe(self._channel)
                while not self._ended.is_set():
                    if (message := told.get_message(timeout=HEARING_SECONDS)) is not None:
                        self._take(message["type"], message["data"])
        finally:
            self._hears = False

    def _take(self, kind: str, queue: object) -> None:
        if kind == "subscribe":
            self._say(heard=True)
            self._hears = True
            # Whatever came before was told to nobody.
            self.wake()
        elif isinstance(queue, bytes) and (event := self._events.get(queue)):
            event.set()

    def _say(self, *, heard: bool, error: str = "") -> None:
        """Log what has changed, once."""
        if heard is not self._last_said:
            self._last_said = heard
            if heard:
                log.info("nudges_heard")
            else:
                log.warning("nudges_not_heard", channel=self._channel, error=error)
