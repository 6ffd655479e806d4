"""Counting pages that are done, from whatever thread."""

from collections.abc import Callable
from threading import Lock


class PagesDone:
    """Tells pages done and pages in all, at once and after each page.

    Calls come one at a time, and the count only rises.
    """

    def __init__(self, total: int, tell: Callable[[int, int], None]) -> None:
        self._total = total
        self._tell = tell
        self._done = 0
        self._lock = Lock()
        tell(0, total)

    def one_more(self) -> None:
        """Note that a page is done."""
        with self._lock:
            self._done += 1
            self._tell(self._done, self._total)
