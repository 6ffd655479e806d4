"""Starting a server again that died, but not for ever."""

import time
from collections import deque
from collections.abc import Callable

from docrefinery.embedded.errors import ServiceFailed
from docrefinery.embedded.supervised import Supervised

RESTARTS, WITHIN_SECONDS = 5, 60.0


class Revival:
    """Starts servers again, at most :data:`RESTARTS` times within :data:`WITHIN_SECONDS` in all."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=RESTARTS)

    def revive(self, server: Supervised, abandoned: Callable[[], bool]) -> str:
        """Start a dead server again and wait until it takes requests.

        :param server: one whose process has ended.
        :param abandoned: whether somebody wants to stop it meanwhile.
        :returns: a sentence for the log, with its last lines.
        :raises ServiceFailed: when it does not start, or too many did die.
        """
        name, words = server.service.name, server.last_words()
        if len(self._times) == RESTARTS and time.monotonic() - self._times[0] < WITHIN_SECONDS:
            raise ServiceFailed(f"{name} keeps dying. {words}\n{server.service.advice}")
        self._times.append(time.monotonic())
        server.end_children()
        server.launch()
        server.wait_ready(abandoned)
        return f"{name} had stopped and was started again. {words}"
