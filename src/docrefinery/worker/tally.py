"""Counts of a worker's own that go into the database with its heartbeat."""

from collections import Counter
from collections.abc import Mapping

from docrefinery.store import counters
from docrefinery.store.counters import Counted
from docrefinery.store.database import Database


class Tally:
    """Adds what was counted since the last time. A SIGKILL loses what came after the last heartbeat.

    :param counted: rises while the worker works, by label.
    """

    def __init__(self, db: Database, name: Counted, counted: Mapping[str, int]) -> None:
        self._db = db
        self._name = name
        self._counted = counted
        self._told: Counter[str] = Counter()

    async def tell(self) -> None:
        """Add what is new."""
        new = Counter(self._counted) - self._told
        for label, n in new.items():
            # Before it is written: one that is broken off after the commit must not be told again.
            self._told[label] += n
            try:
                await counters.add(self._db, self._name, label, n)
            except Exception:
                self._told[label] -= n
                raise
