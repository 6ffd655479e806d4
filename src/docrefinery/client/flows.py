"""What takes several calls: uploading, waiting, finding the job that does what is asked, converting."""

import time
from collections.abc import Callable, Collection
from typing import TypeAlias, TypeVar

from docrefinery.client import operations
from docrefinery.client.asking import ask
from docrefinery.client.connection import Patience
from docrefinery.client.errors import Conflict, Damaged, DuplicateDocument, JobFailed, MissingArtifacts, WaitTimeout
from docrefinery.client.matching import fits, made
from docrefinery.client.operations import Processing, Ref, Several
from docrefinery.client.resources import Document, Job, Page, Plan
from docrefinery.client.saving import reading
from docrefinery.client.sources import Source
from docrefinery.client.steps import Call, Flow, Sleep

T = TypeVar("T")
Watch: TypeAlias = Callable[[Job], None]
"""Is told a job as often as something of it changes: its ``stage``, its ``pages_done`` of ``pages_total``."""

HELD_SECONDS = 30
"""How long the service holds an answer; it allows no more."""
SPACING_SECONDS = 0.5
"""Between two questions about a job; what changes meanwhile is answered at once."""

_BY_LIMIT = frozenset({"PAGE_LIMIT_EXCEEDED", "FILE_TOO_LARGE", "CONVERSION_TIMEOUT"})
_FOR_GOOD = frozenset({"ENCRYPTED_PDF", "INVALID_PDF", "MALWARE_DETECTED"})
"""Failures that are the file's own."""


def uploading(source: Source, processing: Processing, patience: Patience, *, ingest: bool) -> Flow[Document]:
    """Upload a file, and see to it that the service has the bytes that were read."""
    try:
        document = yield from ask(operations.upload(source, processing, ingest=ingest), patience)
    finally:
        source.close()
    if document.sha256 != source.sha256:
        raise Damaged(
            f"The service received other bytes of {source.name} than were sent; delete document {document.id}."
        )
    return document


def waiting(ref: Ref, patience: Patience, timeout: float | None, watch: Watch | None) -> Flow[Job]:
    """Wait until a job is finished: each question is held by the service until something changes."""
    began, tag, last = time.monotonic(), "", None
    while True:
        asked = time.monotonic()
        left = None if timeout is None else max(began + timeout - asked, 0.0)
        # The first answer is not held: it says how the job stands, and what any later one is a change from.
        held = 0 if last is None else HELD_SECONDS if left is None else min(int(left), HELD_SECONDS)
        call = operations.changed_job(ref, tag, held)
        first = last is None
        job, tag = yield from ask(call, patience if left is None else patience.within(left))
        if job is not None:
            last = job
            if watch is not None:
                watch(job)
            if job.finished:
                return job
        now = time.monotonic()
        if timeout is not None and last is not None and now >= began + timeout:
            raise WaitTimeout(last, timeout)
        pause = 0.0 if first else asked + SPACING_SECONDS - now
        if timeout is not None:
            pause = min(pause, began + timeout - now)
        if pause > 0:
            yield Sleep(pause)


def listing(call: Call[Page[T]], patience: Patience) -> Flow[list[T]]:
    """Return all of a list that is known to be short."""
    results: list[T] = []
    following: Call[Page[T]] | None = call
    while following is not None:
        page = yield from ask(following, patience)
        results += page.results
        following = operations.following(following, page)
    return results


def processing_job(document_id: Ref, wanted: Processing, patience: Patience, plan: Plan | None = None) -> Flow[Job]:
    """Return a job of a document that does what is wanted: one that is there, one that is tried again, or a new one.

    :param plan: what the service makes of ``wanted``, if that is known already.
    """
    planned = plan or (yield from ask(operations.plan(wanted), patience))
    filters: operations.JobFilters = {"document_id": document_id, "page_size": 200}
    known = yield from ask(operations.jobs(filters), patience)
    for job in known.results:
        if job.status == "QUARANTINED":
            # Whatever is asked, the service processes it no more.
            return job
        if not fits(job, planned, wanted):
            continue
        if not job.finished:
            return job
        if job.succeeded:
            kept = yield from ask(operations.artifacts({"job_id": job.id, "page_size": 1}), patience)
            if kept.results:
                return job
        elif job.error_code in _FOR_GOOD:
            return job
        elif job.status == "FAILED" and job.error_code not in _BY_LIMIT:
            return (yield from _again(job, patience))
    return (yield from ask(operations.submit(document_id, wanted), patience))


def _again(job: Job, patience: Patience) -> Flow[Job]:
    try:
        return (yield from ask(operations.retry(job.id), patience))
    except Conflict:
        now = yield from ask(operations.job(job.id), patience)
        if now.status == job.status:
            # Its file has expired.
            raise
        # Somebody else was faster.
        return now


def converting(
    source: Source,
    wanted: Processing,
    kinds: Several | None,
    patience: Patience,
    timeout: float | None,
    watch: Watch | None,
) -> Flow[dict[str, bytes]]:
    """Upload, wait, and return the contents of the artifacts by kind; nothing is done twice."""
    began = time.monotonic()
    asked, plan = _kinds(kinds), None
    if asked:
        plan = yield from ask(operations.plan(wanted), patience)
        check_kinds(asked, made(plan))
    try:
        document = yield from uploading(source, wanted, patience, ingest=True)
        ref = document.job_id or (yield from processing_job(document.id, wanted, patience, plan)).id
    except DuplicateDocument as duplicate:
        ref = (yield from processing_job(duplicate.existing.document_id, wanted, patience, plan)).id
    left = None if timeout is None else max(began + timeout - time.monotonic(), 0.0)
    job = yield from waiting(ref, patience, left, watch)
    if not job.succeeded:
        raise JobFailed(job)
    artifacts = yield from listing(operations.artifacts({"job_id": job.id}), patience)
    check_kinds(asked, {artifact.kind for artifact in artifacts})
    found: dict[str, bytes] = {}
    for artifact in artifacts:
        if not asked or artifact.kind in asked:
            found[artifact.kind] = yield from reading(artifact, patience)
    return found


def check_kinds(asked: Collection[str], available: Collection[str]) -> None:
    """Raise :class:`MissingArtifacts` if something that is asked for is not available."""
    if missing := set(asked) - set(available):
        raise MissingArtifacts(missing, available)


def _kinds(kinds: Several | None) -> set[str]:
    names = [] if kinds is None else kinds.split(",") if isinstance(kinds, str) else kinds
    return {name.strip() for name in names}
