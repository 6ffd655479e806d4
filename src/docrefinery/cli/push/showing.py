"""What a person sees of a push on a terminal, what a log gets, and what a program reads."""

import sys
from collections import Counter
from typing import Protocol

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from docrefinery.cli.output import errors, printable
from docrefinery.cli.push.outcomes import Outcome, State, Summary, advice
from docrefinery.client import Job

STYLES = {State.FAILED: "red", State.SKIPPED: "yellow"}


class Shown(Protocol):
    """Is told how a push comes along."""

    def begin(self, files: int) -> None:
        """So many files are to be pushed."""

    def moved(self, phases: Counter[str]) -> None:
        """So many files are in each phase."""

    def job(self, job: Job) -> None:
        """A job came along."""

    def waits(self, why: str, seconds: float) -> None:
        """Nothing can be done for so many seconds."""

    def outcome(self, outcome: Outcome) -> None:
        """A file's way ended."""

    def end(self, summary: Summary) -> None:
        """Nothing more is done."""


class Bars:
    """One bar over all files, and a line below it that says what happens."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, expand=True)
        self._files = self._progress.add_task("pushing", total=None)
        self._now, self._job, self._busy = "", "", ""

    def begin(self, files: int) -> None:
        self._progress.update(self._files, total=files)
        self._progress.start()

    def moved(self, phases: Counter[str]) -> None:
        self._busy = ""
        self._now = ", ".join(f"{count} {phase}" for phase, count in phases.items() if count)
        self._describe()

    def job(self, job: Job) -> None:
        pages = f" {job.pages_done}/{job.pages_total}" if job.pages_total else ""
        self._job = "" if job.finished else f"; job {job.id} {job.stage.lower()}{pages}"
        self._describe()

    def waits(self, why: str, seconds: float) -> None:
        self._busy = f"waiting {seconds:.0f} s: {printable(why)}"
        self._describe()

    def _describe(self) -> None:
        said = self._busy or self._now + self._job
        self._progress.update(self._files, description=said if len(said) <= 46 else f"{said[:45]}…")

    def outcome(self, outcome: Outcome) -> None:
        self._progress.advance(self._files)
        if outcome.status in STYLES:
            self._progress.console.print(_line(outcome), soft_wrap=True)

    def end(self, summary: Summary) -> None:
        self._progress.stop()
        _sum_up(summary)


class Lines:
    """A line for each file, for logs."""

    def begin(self, files: int) -> None:
        pass

    def moved(self, phases: Counter[str]) -> None:
        pass

    def job(self, job: Job) -> None:
        pass

    def waits(self, why: str, seconds: float) -> None:
        errors.print(Text(f"waiting {seconds:.0f} s: {printable(why)}"), soft_wrap=True)

    def outcome(self, outcome: Outcome) -> None:
        errors.print(_line(outcome), soft_wrap=True)

    def end(self, summary: Summary) -> None:
        _sum_up(summary)


class JsonLines(Lines):
    """A JSON object for each file, and a last one with the sum, to stdout."""

    def waits(self, why: str, seconds: float) -> None:
        pass

    def outcome(self, outcome: Outcome) -> None:
        self._write(outcome)

    def end(self, summary: Summary) -> None:
        told = {state.value: summary.counts[state] for state in State}
        told |= {"files": summary.files, "sent": summary.sent, "duplicates": summary.duplicates}
        self._write({"summary": told})

    def _write(self, what: object) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
        sys.stdout.buffer.flush()


def shown_as(*, as_json: bool) -> Shown:
    """Return what fits where the output goes."""
    if as_json:
        return JsonLines()
    return Bars(errors) if errors.is_terminal else Lines()


def _line(outcome: Outcome) -> Text:
    where = f" {outcome.folder}" if outcome.status is State.DONE else ""
    why = f": {outcome.error_code}: {outcome.message}" if outcome.error_code else ""
    told = printable(f" {outcome.path}{why or where}")
    return Text.assemble((outcome.status, STYLES.get(outcome.status, "green")), told)


def _sum_up(summary: Summary) -> None:
    if summary.failures:
        errors.print(Text("Failed:", style="bold"))
    for outcome in summary.failures:
        told = f"  {outcome.path}: {outcome.error_code}: {outcome.message} -> {advice(outcome.error_code)}"
        errors.print(Text(printable(told)), soft_wrap=True)
    errors.print(Text(summary.sentence), soft_wrap=True)
