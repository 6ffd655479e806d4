"""What is done beside the putting together of a long document, in a fork where there may be one."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from docrefinery.engine.base import Meanwhile
from docrefinery.pipeline.forks import Fork, processes

Found = TypeVar("Found")
_HERE = b""
"""Instead of an answer: the work failed, and fails here in its turn, with all that belongs to that."""


class Beside(Meanwhile):
    """Has it done in a fork, if there may be another process.

    :param wanted: how many processes there may be.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._works: list[Callable[[], bytes]] = []
        self._fork: Fork | None = None

    def later(self, work: Callable[[], Found], kind: type[Found]) -> Callable[[], Found]:
        """Note what is to be done; see :class:`~docrefinery.engine.base.Meanwhile`."""
        number = len(self._works)
        self._works.append(lambda: _answer(work))

        def asked() -> Found:
            answer = _HERE if self._fork is None else self._fork.answer(number)
            return work() if answer == _HERE else msgspec.msgpack.decode(answer, type=kind)

        return asked

    def begin(self) -> None:
        """Begin with what was noted."""
        if processes(self._wanted) > 1:
            self._fork = Fork(*self._works)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fork is not None:
            self._fork.__exit__(kind, error, trace)


def _answer(work: Callable[[], object]) -> bytes:
    try:
        return msgspec.msgpack.encode(work())
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - it may be that nobody asks, and else it is raised where somebody does
        return _HERE
