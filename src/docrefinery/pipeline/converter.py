"""The parent's handle on a converter: one warm child, one request at a time, an outcome for everything."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from docrefinery.capabilities import NONE, Hardware, Measure, Models
from docrefinery.errors import ExportFailed, OutOfMemory, ScannerUnavailable
from docrefinery.pipeline import protocol, watching
from docrefinery.pipeline.describing import Describing, PictureDescriber
from docrefinery.pipeline.endings import Ending, cause, found_dead
from docrefinery.pipeline.keeper import ConverterUnavailable, Keeper
from docrefinery.pipeline.listening import Answer, OnProgress, listen
from docrefinery.pipeline.messages import accepted, accepted_pages, convert_request, read_request, verdict_of
from docrefinery.pipeline.nursery import APART, Seclusion
from docrefinery.pipeline.outcomes import (
    NO_PARTS,
    Canceled,
    Crashed,
    Long,
    Outcome,
    Parts,
    Rejected,
    Task,
    TimedOut,
)
from docrefinery.pipeline.process import ChildGone, ChildLimits, ChildProcess
from docrefinery.pipeline.protocol import ProtocolError
from docrefinery.pipeline.staging import Staged, Staging
from docrefinery.plugin import ScannerDown, Verdict

__all__ = ["ChildLimits", "Converter", "ConverterUnavailable", "Seclusion"]

SCAN_SECONDS = 120.0
_CPU_SPARE_SECONDS = 60.0
DESCRIBING = 0.9
"""Of a job's time, what pictures may be described until: a document without descriptions is better than none."""

Worked = TypeVar("Worked")
Taken = TypeVar("Taken")
_ANOTHER = "sent the answer to another question"


class Converter:
    """One converter child, replaced when it is worn out, killed or dead.

    It does one thing at a time; make one for each slot. All of it belongs to the event loop that awaits it. The child
    keeps its copy of a document until another one comes, or :meth:`forget`.

    :param plugins: names of the plugins to load; ``None`` loads all.
    :param scratch: existing folder for the child's own folder; ``None`` is the system's temporary folder.
    :param describer: has pictures described for the child; ``None`` where no endpoint is named.
    :param models: what to load Docling's models with, or why none are loaded.
    :param seclusion: how far the child is kept apart.
    """

    def __init__(
        self,
        limits: ChildLimits,
        plugins: tuple[str, ...] | None,
        scratch: Path | None = None,
        describer: PictureDescriber | None = None,
        models: Hardware | Models = NONE,
        seclusion: Seclusion = APART,
    ) -> None:
        self._limits = limits
        self._describer = describer
        self._keeper = Keeper(limits, plugins, scratch, models, seclusion)
        self._threads = models.threads if isinstance(models, Hardware) else 1
        self._tenant = ""
        self._waiting: asyncio.Task[ChildProcess] | None = None
        self._ending: Ending | None = None
        self._busy = False
        self._resting: asyncio.Task[None] | None = None
        self._staging = Staging()

    @property
    def pid(self) -> int | None:
        """Process id of the child, ``None`` while there is none."""
        child = self._keeper.child
        return child.pid if child is not None and child.alive else None

    @property
    def rss_bytes(self) -> int:
        """Resident memory of the child, 0 while there is none."""
        child = self._keeper.child
        return child.rss_bytes() if child is not None else 0

    @property
    def models(self) -> Models:
        """Docling's models that the child holds, or is loading."""
        return self._keeper.models

    @property
    def jail(self) -> tuple[Measure, ...]:
        """What the child said last of what it is kept apart by; empty as long as there was none."""
        return self._keeper.jail

    @property
    def replaced(self) -> Mapping[str, int]:
        """How many children were replaced so far, by the reason."""
        return self._keeper.replaced

    def serve(self, tenant: str) -> None:
        """Note whose documents come next; a child that has seen another tenant's does not see them."""
        self._tenant = tenant

    async def start(self) -> None:
        """Start a child unless there is one, and wait until it is warm.

        :raises ConverterUnavailable: if it cannot be started.
        """
        await self._keeper.get()

    async def scan(self, scanner: str, path: Path, timeout_seconds: float = SCAN_SECONDS) -> Verdict | Outcome:
        """Judge a file with a scanner that runs in the child.

        :raises ConverterUnavailable: if no child can be started.
        :raises ScannerDown: if the scanner says so.
        """

        async def judge(child: ChildProcess, staged: Staged) -> Verdict | Outcome:
            request = protocol.Scan(scanner, str(staged.source), self._cpu_seconds(timeout_seconds))
            answer = await self._talk(child, staged, request, timeout_seconds, lambda _: None, None)
            match answer:
                case protocol.Scanned():
                    return verdict_of(answer)
                case protocol.Done() | protocol.Long() | protocol.PagesRead():
                    return self._distrust(_ANOTHER)
                case _:
                    return answer

        outcome = await self._with_child(path, judge)
        if isinstance(outcome, Rejected) and outcome.code == ScannerUnavailable.error_code:
            raise ScannerDown(outcome.message)
        return outcome

    async def convert(self, task: Task, on_progress: OnProgress) -> Outcome:
        """Convert a document; cancelling the caller kills the child.

        :raises ConverterUnavailable: if no child can be started.
        """
        outcome = await self.convert_unless_long(task, on_progress, 0)
        assert not isinstance(outcome, Long)
        return outcome

    async def convert_unless_long(self, task: Task, on_progress: OnProgress, pages: int) -> Outcome | Long:
        """Convert a document as :meth:`convert` does, unless it can be read in parts and has so many ``pages``.

        :param pages: 0 converts every document.
        """
        describer = self._describer_for(task)

        async def work(child: ChildProcess, staged: Staged) -> Outcome | Long:
            seconds = task.timeout_seconds
            name = describer.name if describer else ""
            request = convert_request(task, staged, self._cpu_seconds(seconds), describer=name, long_from=pages)
            answer = await self._talk(child, staged, request, seconds, on_progress, describer)
            match answer:
                case protocol.Done():
                    return await self._accept(lambda: accepted(task, staged, answer))
                case protocol.Long() if pages and answer.last - answer.first + 1 >= pages:
                    return Long(answer.first, answer.last)
                case protocol.Scanned() | protocol.PagesRead() | protocol.Long():
                    return self._distrust(_ANOTHER)
                case _:
                    return answer

        return await self._with_child(task.source, work, task.parts)

    async def read(self, task: Task, first: int, last: int, on_progress: OnProgress) -> Path | Ending:
        """Read pages of a document, and return the file with what was read, in the task's folder.

        :raises ConverterUnavailable: if no child can be started.
        """
        describer = self._describer_for(task)

        async def work(child: ChildProcess, staged: Staged) -> Path | Ending:
            seconds = task.timeout_seconds
            name = describer.name if describer else ""
            request = read_request(task, staged, first, last, self._cpu_seconds(seconds), describer=name)
            answer = await self._talk(child, staged, request, seconds, on_progress, None)
            match answer:
                case protocol.PagesRead():
                    return await self._accept(lambda: accepted_pages(task, staged))
                case protocol.Scanned() | protocol.Done() | protocol.Long():
                    return self._distrust(_ANOTHER)
                case _:
                    return answer

        return await self._with_child(task.source, work)

    async def forget(self) -> None:
        """Take back the document that was worked on last, when nothing more is to be done with it."""
        await self._staging.forget()

    def _describer_for(self, task: Task) -> PictureDescriber | None:
        return self._describer if task.options.get("do_picture_description") else None

    def cancel(self) -> None:
        """End what is running, with its child, as :class:`Canceled`; a child at rest stays for what comes next."""
        if self._busy:
            self.kill()

    def kill(self) -> None:
        """End the child and everything it started, at once; what is running ends as :class:`Canceled`."""
        self._end(Canceled())

    async def close(self) -> None:
        """End the child and wait until nothing is left of it."""
        self.kill()
        await self.forget()
        if self._resting is not None:
            self._resting.cancel()
        await self._keeper.close()
        if self._describer is not None:
            await self._describer.close()

    async def _with_child(
        self,
        source: Path,
        work: Callable[[ChildProcess, Staged], Awaitable[Worked]],
        parts: Parts = NO_PARTS,
    ) -> Worked | Ending:
        """Have a warm child, with a copy of the file in its folder, do some work."""
        self._begin()
        try:
            child = await self._child()
            async with self._staging.given(child, source, parts) as staged:
                try:
                    outcome = self._ending or await work(child, staged)
                except BaseException:
                    # Nobody knows what it is at.
                    child.kill()
                    raise
        except ConverterUnavailable:
            if self._ending is None:
                raise
            return self._ending
        finally:
            self._busy = False
        self._settle(child, outcome)
        return outcome

    async def _child(self) -> ChildProcess:
        self._waiting = asyncio.ensure_future(self._keeper.get(self._tenant))
        try:
            return await self._waiting
        except asyncio.CancelledError:
            if self._ending is None:
                raise
            raise ConverterUnavailable("it was stopped before it was ready") from None
        finally:
            self._waiting = None

    def _cpu_seconds(self, seconds: float) -> float:
        """Return what a child may compute in a time that its parent bounds anyway, with room for its threads."""
        return (seconds + _CPU_SPARE_SECONDS) * (1 + max(self._limits.ocr_threads, self._threads))

    def _begin(self) -> None:
        if self._busy:
            raise RuntimeError("a converter does one thing at a time")
        self._busy, self._ending = True, None
        if self._resting is not None:
            self._resting.cancel()

    async def _talk(
        self,
        child: ChildProcess,
        staged: Staged,
        request: protocol.Request,
        seconds: float,
        on_progress: OnProgress,
        describer: PictureDescriber | None,
    ) -> Answer | Ending:
        given_bytes = staged.given_bytes
        timer = asyncio.get_running_loop().call_later(seconds, self._end, TimedOut(seconds))
        watch = asyncio.create_task(watching.at_work(child, self._limits, given_bytes, self._end))
        try:
            child.send(request)
            child.jobs += isinstance(request, protocol.Convert | protocol.Read)
            async with Describing(describer, child.send, seconds * DESCRIBING) as describing:
                return await listen(child, request, on_progress, describing, self._limits.memory_bytes)
        except ChildGone:
            await child.ended()
            return self._ending or found_dead(child, self._limits.memory_bytes, seconds)
        except ProtocolError as error:
            return self._distrust(f"sent {error}")
        except BaseException:
            child.kill()
            raise
        finally:
            timer.cancel()
            watch.cancel()

    async def _accept(self, take: Callable[[], Taken]) -> Taken | Rejected:
        """Take over what a child says that it has written."""
        try:
            return await asyncio.to_thread(take)
        except ExportFailed as error:
            self._keeper.replace("protocol")
            return Rejected(error.error_code, error.message, error.details)
        except OSError as error:
            raise ConverterUnavailable(f"the results cannot be taken: {error.strerror}") from error

    def _end(self, ending: Ending) -> None:
        self._ending = self._ending or ending
        # A child that is killed while it starts ends the waiting for it; else it is a zygote's, which may go on.
        if not self._keeper.kill(cause(ending)) and self._waiting is not None:
            self._waiting.cancel()

    def _distrust(self, what: str) -> Crashed:
        child = self._keeper.child
        stderr = child.stderr_tail() if child is not None else ""
        self._keeper.replace("protocol")
        return Crashed(reason=f"the converter {what} and was killed", stderr=stderr)

    def _settle(self, child: ChildProcess, answer: object) -> None:
        """Make sure that the next request finds a child that is alive, not worn out and not out of memory."""
        child.clear_stderr()
        if child is not self._keeper.child:
            return
        if isinstance(answer, Rejected) and answer.code == OutOfMemory.error_code:
            self._keeper.replace("out_of_memory")
        elif not child.alive:
            self._keeper.replace("died")
        elif child.jobs >= self._limits.max_jobs:
            self._keeper.replace("jobs")
        elif child.used_bytes() > self._limits.max_rss_bytes:
            self._keeper.replace("memory")
        else:
            self._resting = asyncio.create_task(watching.at_rest(child, lambda: self._keeper.replace("busy")))
