"""What traces tell of a job: a span for each attempt, and in it one for each stage."""

from contextlib import AbstractContextManager
from typing import assert_never

from docrefinery import errors, tracing
from docrefinery.model import JobStatus
from docrefinery.pipeline import outcomes
from docrefinery.store.records import ClaimRecord, SliceRecord

_MS = 1_000_000


def attempt(claim: ClaimRecord) -> AbstractContextManager[None]:
    """Trace the block as an attempt at a job: a child of the request that asked for it."""
    return tracing.span(
        f"process {claim.queue}",
        kind="consumer",
        parent=claim.traceparent,
        attributes={
            "messaging.operation.type": "process",
            "messaging.destination.name": claim.queue,
            "docrefinery.tenant.uuid": str(claim.tenant_uuid),
            "docrefinery.job.id": claim.job_id,
            "docrefinery.job.uuid": str(claim.job_uuid),
            "docrefinery.job.attempt": claim.attempt,
            "docrefinery.job.profile": claim.profile or "",
            "docrefinery.job.queued_seconds": round(claim.queued_seconds, 3),
            "docrefinery.request_id": claim.request_id,
        },
    )


def pages(taken: SliceRecord) -> AbstractContextManager[None]:
    """Trace the block as pages that are read: part of the attempt in hand, or of the request where one only helps."""
    return tracing.span(
        "read pages",
        parent=tracing.traceparent() or taken.traceparent,
        attributes={
            "docrefinery.tenant.uuid": str(taken.tenant_uuid),
            "docrefinery.job.id": taken.job_id,
            "docrefinery.job.attempt": taken.attempt,
            "docrefinery.job.first_page": taken.first_page,
            "docrefinery.job.last_page": taken.last_page,
        },
    )


def note_end(status: str, error_code: str = "") -> None:
    """Tell how the job ended."""
    tracing.tell({"docrefinery.job.status": status})
    if status != JobStatus.SUCCEEDED:
        tracing.fail(error_code if error_code and status != JobStatus.CANCELED else status)


def note_left(reason: str) -> None:
    """Tell why the attempt is over and the job is not."""
    tracing.tell({"docrefinery.job.status": JobStatus.QUEUED})
    tracing.fail(reason)


def note_conversion(began_ns: int, outcome: outcomes.Outcome) -> None:
    """Trace what a converter says of its stages. It has no network: its spans are made here.

    :param began_ns: when it was asked, in nanoseconds since 1970.
    """
    if not tracing.on():
        return
    end = tracing.now_ns()
    match outcome:
        case outcomes.Converted():
            tracing.tell({"docrefinery.job.pages": outcome.pages_total, "docrefinery.engine": _engine(outcome)})
            # They follow each other; what is left before them is the way into the converter.
            for name, ms in (
                ("chunk", outcome.chunk_ms),
                ("export", outcome.export_ms),
                ("convert", outcome.convert_ms),
            ):
                if ms is not None:
                    begin = max(end - ms * _MS, began_ns)
                    tracing.past(name, begin, end)
                    end = begin
        case _:
            tracing.past("convert", began_ns, end, _failure(outcome))


def _engine(outcome: outcomes.Converted) -> str:
    return outcome.engine.get("name", "")


def _failure(outcome: outcomes.Rejected | outcomes.TimedOut | outcomes.Crashed | outcomes.Canceled) -> str:
    match outcome:
        case outcomes.Rejected():
            return outcome.code
        case outcomes.TimedOut():
            return errors.ConversionTimeout.error_code
        case outcomes.Crashed():
            return "converter_crashed"
        case outcomes.Canceled():
            return JobStatus.CANCELED
        case _:
            assert_never(outcome)
