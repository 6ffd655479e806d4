"""Measures that keep a converter apart from the machine: which of them hold, and what the others would need."""

from collections.abc import Sequence

from msgspec import Struct


class Measure(Struct, frozen=True):
    """One wall around a converter.

    :param name: what it is about, such as ``network``.
    :param lacks: why it does not hold here and what to do about it, one line; empty where it holds.
    """

    name: str
    lacks: str = ""

    @property
    def held(self) -> bool:
        """Whether it holds."""
        return not self.lacks


def missing(measures: Sequence[Measure]) -> str:
    """Return in one line what does not hold and what to do about it; empty if everything holds."""
    return "; ".join(f"{measure.name}: {measure.lacks}" for measure in measures if not measure.held)
