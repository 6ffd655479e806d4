"""The way of many files: looked at, sent, waited for, fetched; a bounded number at a time."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from msgspec import Struct

from docrefinery.cli.push.fetching import Fetching, Results
from docrefinery.cli.push.files import File
from docrefinery.cli.push.folders import Folders
from docrefinery.cli.push.inputs import Input, failed
from docrefinery.cli.push.journal import Entry, Journal, asked_of
from docrefinery.cli.push.looking import is_there, look
from docrefinery.cli.push.outcomes import Outcome, State, Summary, shown
from docrefinery.cli.push.sending import Sending
from docrefinery.cli.push.showing import Shown
from docrefinery.cli.push.watching import Watching
from docrefinery.client import (
    ApiError,
    AsyncClient,
    ClientError,
    Document,
    FileChanged,
    Job,
    MissingArtifacts,
    Plan,
    Unreachable,
)
from docrefinery.client.matching import deciding, unasked_limits
from docrefinery.client.operations import Processing

BATCH = 50
"""Hashes that the service is asked for at a time: more would not fit the request line of common proxies."""
IN_FLIGHT = 1000
"""Files that are between their look and their end at a time; one that is waited for costs a few kilobytes."""
SAME_FOR_ALL = frozenset(
    {"UNAUTHENTICATED", "INSUFFICIENT_SCOPE", "PROFILE_DISABLED", "UNKNOWN_PROFILE", "INVALID_OPTIONS"}
)
"""Refusals that every file would meet."""


T = TypeVar("T")


class Stop(Exception):
    """There is no point in going on; ``usage`` says whether that is because of what was asked."""

    def __init__(self, reason: ClientError) -> None:
        super().__init__(str(reason))
        self.usage = isinstance(reason, ApiError)


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked of all files, and what the service makes of it; without ``wait`` they are only sent."""

    processing: Processing
    plan: Plan
    kinds: Sequence[str] = ()
    wait: bool = True
    parallel: int = 4


class Pushing:
    """One run; the summary is right at any moment, also if it is cut short."""

    def __init__(
        self, client: AsyncClient, wanted: Wanted, summary: Summary, journal: Journal | None, show: Shown
    ) -> None:
        self._summary = summary
        self._client = client
        self._wanted = wanted
        self._journal = journal
        self._asked = asked_of(deciding(wanted.plan, unasked_limits(wanted.processing)), sorted(wanted.kinds))
        self._show = show
        self._stop = threading.Event()
        self._watching = Watching(client, show.job)
        self._sending = Sending(client, wanted.processing, wanted.plan)
        self._fetching = Fetching(client, wanted.kinds, self._stop)
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._slots = {phase: asyncio.Semaphore(wanted.parallel) for phase in ("sending", "fetching")}
        self._phases: Counter[str] = Counter()
        self._firsts: dict[str, asyncio.Future[tuple[Outcome, Results | None]]] = {}

    async def run(self, inputs: Sequence[Input], folders: Folders, told: Sequence[Outcome]) -> None:
        """Push all of them.

        :param told: what was found out before.
        :raises Stop: if there is no point in going on.
        """
        self._summary.files = len(inputs) + len(told)
        self._show.begin(self._summary.files)
        for outcome in told:
            self._end(outcome)
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch())
                await self._push_all(inputs, folders)
                watching.cancel()
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            self._stop.set()

    async def _watch(self) -> None:
        with _stopping():
            await self._watching.run()

    async def _push_all(self, inputs: Sequence[Input], folders: Folders) -> None:
        later: list[tuple[Input, str]] = []
        async with asyncio.TaskGroup() as group:
            for batch in _batches(inputs):
                files = []
                for each, sha256 in await self._looked_at(batch):
                    if (folder := folders.now(each, sha256)) is not None:
                        files.append(File(each, folder, sha256))
                    else:
                        later.append((each, sha256))
                await self._start(group, files)
            for left in _batches(later):
                await self._start(group, [File(each, folders.at_last(each, sha256), sha256) for each, sha256 in left])

    async def _looked_at(self, inputs: Sequence[Input]) -> list[tuple[Input, str]]:
        """Return the PDFs with their hashes; of the others the way ends here."""
        looks = [asyncio.to_thread(look, each.path, self._stop) for each in inputs]
        pdfs = []
        for each, found in zip(inputs, await asyncio.gather(*looks), strict=True):
            if isinstance(found, Outcome):
                self._end(found)
            else:
                pdfs.append((each, found))
        return pdfs

    async def _start(self, group: asyncio.TaskGroup, files: Sequence[File]) -> None:
        """Send those on their way that are not complete already."""
        files = [file for file in files if not await self._complete(file)]
        known = await self._known([file.sha256 for file in files])
        for file in files:
            await self._room.acquire()
            group.create_task(self._one(file, known.get(file.sha256)))

    async def _complete(self, file: File) -> bool:
        """Whether the results of a file are here already, as they were noted."""
        entry = self._journal.find(file.folder, file.sha256, self._asked) if self._journal is not None else None
        # Results under another name may stand beside older ones under this one.
        if entry is None or not all(name.startswith(f"{file.input.stem}.") for name in entry.files):
            return False
        checks = [asyncio.to_thread(is_there, file.folder / n, sha, self._stop) for n, sha in entry.files.items()]
        if not all(await asyncio.gather(*checks)):
            return False
        self._end(self._outcome(file, State.KEPT, document_id=entry.document_id, job_id=entry.job_id))
        return True

    async def _known(self, hashes: list[str]) -> dict[str, Document]:
        """Return what the service has of these bytes; of several, one whose file is there."""
        wanted = list(dict.fromkeys(sha256 for sha256 in hashes if sha256 not in self._firsts))
        known: dict[str, Document] = {}
        if wanted:
            with _stopping():
                async for document in self._client.documents(sha256=wanted, page_size=200):
                    if document.sha256 not in known or document.file_expired_at is None:
                        known[document.sha256] = document
        return known

    async def _one(self, file: File, document: Document | None) -> None:
        try:
            first = self._firsts.get(file.sha256)
            if first is None:
                first = self._firsts[file.sha256] = asyncio.get_running_loop().create_future()
                outcome, results = await self._told(file, document)
                first.set_result((outcome, results))
            else:
                self._summary.duplicates += 1
                outcome, results = await self._copied(file, *await asyncio.shield(first))
            self._note(file, outcome, results)
            self._end(outcome)
        finally:
            self._room.release()

    async def _told(self, file: File, document: Document | None) -> tuple[Outcome, Results | None]:
        """Push a file; what went wrong comes back as its outcome."""
        try:
            return await self._push(file, document)
        except FileChanged as error:
            return failed(file.input.path, "FILE_CHANGED", str(error)), None
        except ApiError as error:
            if error.error_code in SAME_FOR_ALL:
                raise Stop(error) from error
            code = error.error_code or f"HTTP_{error.status}"
            return failed(file.input.path, code, f"{error.detail} (request {error.request_id or 'unknown'})"), None
        except Unreachable as error:
            raise Stop(error) from error
        except MissingArtifacts as error:
            return failed(file.input.path, "MISSING_ARTIFACT", str(error)), None
        except ClientError as error:
            return failed(file.input.path, "DAMAGED", str(error)), None
        except OSError as error:
            code = "UNREADABLE" if error.filename == str(file.input.path) else "CANNOT_WRITE"
            return failed(file.input.path, code, f"{error.strerror or error}: {error.filename or file.folder}"), None

    async def _push(self, file: File, document: Document | None) -> tuple[Outcome, Results | None]:
        async with self._phase("sending"):
            sent = await self._sending.send(file, document)
        ids = {"document_id": sent.document.id, "job_id": sent.job_id, "sent": sent.anew}
        if not self._wanted.wait:
            return self._outcome(file, State.SUBMITTED, **ids), None
        job = await self._finished(sent.job_id, sent.document, sent.job)
        if not job.succeeded:
            code = job.error_code or job.status
            return self._outcome(
                file, State.FAILED, **ids, error_code=code, message=job.error_message or job.status
            ), None
        async with self._phase("fetching"):
            self._begin(file)
            results = await self._fetching.fetch(file, sent.document, job)
        return self._outcome(file, State.DONE, **ids), results

    async def _finished(self, job_id: int, document: Document, job: Job | None) -> Job:
        if job is not None and job.finished:
            return job
        self._move("waiting", 1)
        try:
            return await self._watching.finished(job_id, job.modified_at if job is not None else document.created_at)
        finally:
            self._move("waiting", -1)

    async def _copied(self, file: File, first: Outcome, results: Results | None) -> tuple[Outcome, Results | None]:
        """Give a file what came of another one with the same bytes."""
        ids = {"document_id": first.document_id, "job_id": first.job_id}
        if results is None:
            why = {"error_code": first.error_code, "message": first.message}
            return self._outcome(file, first.status, **ids, **why), None
        try:
            self._begin(file)
            copied = await asyncio.to_thread(results.copied, file)
        except OSError as error:
            return failed(file.input.path, "CANNOT_WRITE", f"{error.strerror or error}: {file.folder}"), None
        return self._outcome(file, State.DONE, **ids), copied

    def _begin(self, file: File) -> None:
        if self._journal is not None:
            self._journal.begin(file.folder, file.sha256)

    def _note(self, file: File, outcome: Outcome, results: Results | None) -> None:
        if self._journal is None or results is None or outcome.document_id is None or outcome.job_id is None:
            return
        entry = Entry(
            folder="",
            sha256=file.sha256,
            asked=self._asked,
            document_id=outcome.document_id,
            job_id=outcome.job_id,
            files=results.files,
        )
        self._journal.add(file.folder, entry)

    def _outcome(self, file: File, state: State, **more: object) -> Outcome:
        folder = shown(file.folder) if state in (State.DONE, State.KEPT) else ""
        return Outcome(path=shown(file.input.path), status=state, folder=folder, **more)  # type: ignore[arg-type]

    def _end(self, outcome: Outcome) -> None:
        self._summary.add(outcome)
        self._show.outcome(outcome)

    @asynccontextmanager
    async def _phase(self, name: str) -> AsyncIterator[None]:
        async with self._slots[name]:
            self._move(name, 1)
            try:
                yield
            finally:
                self._move(name, -1)

    def _move(self, phase: str, by: int) -> None:
        self._phases[phase] += by
        self._show.moved(self._phases)


def _batches(of: Sequence[T]) -> Iterator[Sequence[T]]:
    return (of[start : start + BATCH] for start in range(0, len(of), BATCH))


@contextmanager
def _stopping() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise Stop(error) from error


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what came first of what went wrong at the same time."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
