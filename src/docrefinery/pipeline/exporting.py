"""Exporters at work inside the child: one after the other, or several at a time in processes of their own."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from docrefinery.engine.base import EngineResult
from docrefinery.errors import ExportFailed
from docrefinery.model import Stage
from docrefinery.pipeline.forks import Fork, processes
from docrefinery.pipeline.hearsay import storable
from docrefinery.pipeline.protocol import Convert, Reply, Working
from docrefinery.plugin import Exporter
from docrefinery.plugin.exporting import export, reason
from docrefinery.plugin.registry import Registry


class _Outcome(Struct, frozen=True):
    """What an exporter came to, and when; ``problem`` is ``None`` if all is well, else why it failed."""

    ended: float = 0.0
    problem: str | None = None
    starved: bool = False


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

    :raises ExportFailed: if an exporter fails: the first one of those, if several do.
    """
    ordered = sorted(exporters, key=lambda exporter: exporter.stage is Stage.CHUNKING)
    stages: list[Stage] = []

    def begin(exporter: Exporter) -> None:
        if exporter.stage not in stages:
            stages.append(exporter.stage)
            send(Working(exporter.stage, result.pages_total, result.pages_total))

    started = time.monotonic()
    if ordered:
        # Others may have begun with all of a stage before this process has begun with anything.
        begin(ordered[0])
    outcomes = _SideBySide(ordered, result, Path(request.workdir), begin).outcomes(processes(request.processes))
    for exporter, outcome in zip(ordered, outcomes, strict=True):
        begin(exporter)
        if outcome.starved:
            raise MemoryError
        if outcome.problem is not None:
            raise _failed(registry, exporter, outcome.problem)
    ends: dict[Stage, float] = {}
    for exporter, outcome in zip(ordered, outcomes, strict=True):
        ends[exporter.stage] = max(ends.get(exporter.stage, started), outcome.ended)
    exported = ends.get(Stage.EXPORTING, started)
    chunked = ends.get(Stage.CHUNKING)
    return _ms(exported - started), None if chunked is None else _ms(chunked - exported)


def _ms(seconds: float) -> int:
    return max(round(seconds * 1000), 0)


def _failed(registry: Registry, exporter: Exporter, problem: str) -> ExportFailed:
    plugin = registry.provider(exporter)
    return ExportFailed(
        f"the exporter {exporter.kind!r} of {plugin.distribution} {plugin.version} failed: {problem}",
        details={"kind": exporter.kind, "plugin": plugin.name},
    )


def _written(exporter: Exporter, result: EngineResult, folder: Path) -> _Outcome:
    try:
        export(exporter, result.document, folder / file_name(exporter))
    except MemoryError:
        return _Outcome(starved=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        # Cut, and without what cannot be sent: it is an exception's text.
        return _Outcome(problem=storable(reason(error)))
    return _Outcome(time.monotonic())


class _SideBySide:
    """Exporters, done by this process and by forks of it: whoever is free takes the next.

    :param begin: called before this process begins with one.
    """

    def __init__(
        self, exporters: Sequence[Exporter], result: EngineResult, folder: Path, begin: Callable[[Exporter], None]
    ) -> None:
        self._exporters = exporters
        self._result = result
        self._folder = folder
        self._begin = begin

    def outcomes(self, count: int) -> list[_Outcome]:
        """Have everything written by so many processes, and return what each exporter came to."""
        apart = count > 1 and len(self._exporters) > 1
        order = self._longest_first() if apart else range(len(self._exporters))
        tasks, last = os.pipe()
        # One byte for each: a read takes it away from the others.
        os.write(last, bytes(order))
        os.close(last)
        forks = [Fork(lambda: self._apart_from_here(tasks)) for _ in range(min(count, len(self._exporters)) - 1)]
        found = self._take(tasks, self._begin, apart=apart)
        os.close(tasks)
        for fork in forks:
            found |= msgspec.msgpack.decode(fork.answer(), type=dict[int, _Outcome])
        if apart:
            self._gather(found)
        return [found[number] for number in range(len(self._exporters))]

    def _longest_first(self) -> list[int]:
        """Return the order in which nobody has to be waited for long: stages follow each other all the same."""
        return sorted(
            range(len(self._exporters)),
            key=lambda number: (self._exporters[number].stage is Stage.CHUNKING, -self._exporters[number].cost),
        )

    def _take(self, tasks: int, begin: Callable[[Exporter], None], *, apart: bool) -> dict[int, _Outcome]:
        found: dict[int, _Outcome] = {}
        while taken := os.read(tasks, 1):
            exporter, folder = self._exporters[taken[0]], self._folder
            begin(exporter)
            if apart:
                # Of its own, since what an exporter leaves in its folder is looked at.
                folder = self._apart(exporter)
                folder.mkdir()
            found[taken[0]] = outcome = _written(exporter, self._result, folder)
            if not apart and (outcome.starved or outcome.problem is not None):
                # Nobody waits for the others, which would only take time.
                return found | {number: _Outcome() for number in range(taken[0] + 1, len(self._exporters))}
        return found

    def _apart_from_here(self, tasks: int) -> bytes:
        return msgspec.msgpack.encode(self._take(tasks, lambda _: None, apart=True))

    def _gather(self, found: dict[int, _Outcome]) -> None:
        for number, outcome in found.items():
            name = file_name(self._exporters[number])
            if outcome.problem is None and not outcome.starved:
                (self._apart(self._exporters[number]) / name).rename(self._folder / name)
            shutil.rmtree(self._apart(self._exporters[number]), ignore_errors=True)

    def _apart(self, exporter: Exporter) -> Path:
        return self._folder / f"{exporter.kind}-apart"
