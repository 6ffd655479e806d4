"""Consumers hear of a nudge as soon as it is in its queue, instead of looking for one again and again."""

import threading
from contextlib import suppress

import redis

RETRY_SECONDS = 1.0
HEARING_SECONDS = 1.0
"""How long a look at the connection waits for the next message, and so how late the end is seen."""


class Rung:
    """What is told with each nudge, over Redis' publish and subscribe.

    Nobody relies on it: who publishes may be kept from that by Redis' access lists, or be of an earlier release, and
    a connection may be lost; so consumers look by themselves too, and often while nothing can be heard.

    :param channel: which is told the name of a queue.
    """

    def __init__(self, client: redis.Redis, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._events: dict[str, threading.Event] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._hears = False

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
            return self._events.setdefault(queue, threading.Event())

    def tell(self, queue: str) -> None:
        """Tell all who listen that something is in a queue."""
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
            except (redis.RedisError, OSError):
                # The consumers say what is wrong with Redis: they meet it as well.
                self._hears = False
                self._ended.wait(RETRY_SECONDS)

    def _hear(self) -> None:
        with self._client.pubsub() as told:  # type: ignore[no-untyped-call]
            told.subscribe(self._channel)
            while not self._ended.is_set():
                message = told.get_message(timeout=HEARING_SECONDS)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._hears = True
                    # Whatever came before was told to nobody.
                    self.wake()
                elif event := self._events.get(message["data"].decode()):
                    event.set()
