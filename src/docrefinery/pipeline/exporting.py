"""Exporters at work inside the child: one after the other, or several at a time in processes of their own.

A fork has the document as it is, at no cost but for what is written to, and one processor more to write it with.
"""

import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from docrefinery.engine.base import EngineResult
from docrefinery.errors import ExportFailed
from docrefinery.model import Stage
from docrefinery.pipeline.protocol import Convert, Reply, Working
from docrefinery.plugin import Exporter
from docrefinery.plugin.exporting import export, reason
from docrefinery.plugin.registry import Registry

_ROOM = 1.5
"""Of the memory that is in use: what each process may come to, since its parent counts shared pages for each."""
_BLOCK = 64 * 1024


class _Outcome(Struct, frozen=True):
    """What an exporter came to, and how long it took; ``problem`` is ``None`` if all is well, else why it failed."""

    milliseconds: int = 0
    problem: str | None = None
    starved: bool = False


class _Fork(Struct, frozen=True):
    """A process at work for one exporter."""

    exporter: Exporter
    pid: int
    answer: int


def file_name(exporter: Exporter) -> str:
    """Return the name of an exporter's artifact in the task's folder."""
    return f"{exporter.kind}{exporter.suffix}"


def export_all(
    registry: Registry,
    exporters: Sequence[Exporter],
    result: EngineResult,
    request: Convert,
    send: Callable[[Reply], None],
) -> tuple[int, int | None]:
    """Write every artifact; returns the milliseconds for those of each stage, ``None`` for chunks if there are none.

    :raises ExportFailed: if an exporter fails.
    """
    plain = [exporter for exporter in exporters if exporter.stage is Stage.EXPORTING]
    chunks = [exporter for exporter in exporters if exporter.stage is Stage.CHUNKING]
    work = _SideBySide(result, Path(request.workdir), _processes(request.processes))
    if work.processes > 1:
        work.begin([*plain, *chunks])
    times: list[int | None] = []
    for stage in (plain, chunks):
        if not stage:
            times.append(None)
            continue
        send(Working(stage[0].stage, result.pages_total, result.pages_total))
        started = time.monotonic()
        for exporter in stage:
            outcome = work.outcome(exporter) if work.processes > 1 else _written(exporter, result, work.folder)
            if outcome.starved:
                raise MemoryError
            if outcome.problem is not None:
                raise _failed(registry, exporter, outcome.problem)
        times.append(round((time.monotonic() - started) * 1000))
    return times[0] or 0, times[1]


def _failed(registry: Registry, exporter: Exporter, problem: str) -> ExportFailed:
    plugin = registry.provider(exporter)
    return ExportFailed(
        f"the exporter {exporter.kind!r} of {plugin.distribution} {plugin.version} failed: {problem}",
        details={"kind": exporter.kind, "plugin": plugin.name},
    )


def _written(exporter: Exporter, result: EngineResult, folder: Path) -> _Outcome:
    started = time.monotonic()
    try:
        export(exporter, result.document, folder / file_name(exporter))
    except MemoryError:
        return _Outcome(starved=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        return _Outcome(problem=reason(error))
    return _Outcome(round((time.monotonic() - started) * 1000))


def _processes(wanted: int) -> int:
    """Return how many processes there may be: one if this has threads, which a fork would lose, or little room."""
    if wanted < 2 or sys.platform != "linux" or len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        return 1
    bound = resource.getrlimit(resource.RLIMIT_AS)[0]
    if bound == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, int(bound / (_ROOM * psutil.Process().memory_info().rss)) - 1)


class _SideBySide:
    """Several exporters at a time.

    Each writes to a folder of its own, since what it leaves there is looked at; its artifact is moved out of it.
    """

    def __init__(self, result: EngineResult, folder: Path, processes: int) -> None:
        self.folder = folder
        self.processes = processes
        self._result = result
        self._waiting: list[Exporter] = []
        self._running: list[_Fork] = []
        self._outcomes: dict[str, _Outcome] = {}

    def begin(self, exporters: Sequence[Exporter]) -> None:
        """Start with the first ones; the others follow."""
        self._waiting = list(exporters)
        self._fill()

    def outcome(self, exporter: Exporter) -> _Outcome:
        """Wait for what an exporter came to."""
        while exporter.kind not in self._outcomes:
            ready, _, _ = select.select([fork.answer for fork in self._running], [], [])
            for fork in [fork for fork in self._running if fork.answer in ready]:
                self._running.remove(fork)
                self._outcomes[fork.exporter.kind] = self._ended(fork)
            self._fill()
        return self._outcomes[exporter.kind]

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.processes:
            self._running.append(self._fork(self._waiting.pop(0)))

    def _fork(self, exporter: Exporter) -> _Fork:
        folder = self.folder / f"{exporter.kind}-apart"
        folder.mkdir()
        answer, out = os.pipe()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            os.close(out)
            return _Fork(exporter, pid, answer)
        # Nothing of the parent's own end may run here: it leaves through this.
        code = 1
        try:
            os.close(answer)
            os.write(out, msgspec.msgpack.encode(_written(exporter, self._result, folder)))
            code = 0
        except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody catches
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _ended(self, fork: _Fork) -> _Outcome:
        with os.fdopen(fork.answer, "rb") as stream:
            answer = stream.read(_BLOCK)
        ended = os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1])
        if ended < 0:
            # What ends one would have ended the other, and its parent is to hear of the same.
            signal.signal(-ended, signal.SIG_DFL)
            os.kill(os.getpid(), -ended)
        if ended or not answer:
            os._exit(ended)
        outcome = msgspec.msgpack.decode(answer, type=_Outcome)
        folder, name = self.folder / f"{fork.exporter.kind}-apart", file_name(fork.exporter)
        if outcome.problem is None and not outcome.starved:
            (folder / name).rename(self.folder / name)
        return outcome
