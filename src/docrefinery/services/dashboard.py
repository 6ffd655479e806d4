"""What a tenant sees of its work as a whole."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from docrefinery.model import JobStatus, Stage
from docrefinery.services.doorbell import JOB_QUEUES
from docrefinery.settings import Settings
from docrefinery.store import dashboard
from docrefinery.store.dashboard import SummaryRecord, WorkerRecord
from docrefinery.store.database import Database

NO_PROFILE = "(none)"
"""Where jobs without a profile are counted; no profile can have this name."""


class JobsSummary(Struct, frozen=True, kw_only=True):
    """The tenant's jobs, each counted once by every attribute; those without a profile are under `(none)`."""

    total: int
    by_status: dict[str, int]
    by_stage: dict[str, int]
    by_profile: dict[str, int]


class QueueSummary(Struct, frozen=True):
    """The queued jobs, and for how long the oldest has waited; `null` if there is none."""

    depth: int
    oldest_age_seconds: float | None


class Ended(Struct, frozen=True):
    """Jobs that ended, however they did, and those of them that failed."""

    finished: int
    failed: int


class StageTimes(Struct, frozen=True):
    """Median and 95th percentile in milliseconds; `null` without a job to measure."""

    p50_ms: float | None
    p95_ms: float | None


class StagesSummary(Struct, frozen=True):
    """How long stages took, of the newest 1,000 jobs that ended within a day."""

    scan: StageTimes
    convert: StageTimes
    export: StageTimes
    chunk: StageTimes


class VolumeSummary(Struct, frozen=True, kw_only=True):
    """Documents that are there and their bytes, bytes stored with the artifacts, and pages converted so far."""

    documents: int
    pages: int
    bytes_in: int
    bytes_stored: int


class Summary(Struct, frozen=True, kw_only=True):
    """The figures of the key's tenant."""

    jobs: JobsSummary
    queue: QueueSummary
    last_hour: Ended
    last_day: Ended
    stages: StagesSummary
    volume: VolumeSummary
    generated_at: datetime


class Dashboard:
    """Answers from counters, in one round trip."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings

    async def summary(self, tenant_id: int) -> Summary:
        """Return a tenant's figures."""
        return _summary(await dashboard.summary(self._db, tenant_id, JOB_QUEUES))

    async def workers(self, tenant_id: int) -> list[WorkerRecord]:
        """Return all workers, as this tenant may see them."""
        return await dashboard.workers(self._db, tenant_id, self._settings.lease_seconds)


def _summary(row: SummaryRecord) -> Summary:
    counts = row.job_counts()
    by_status, by_stage, by_profile = Counter[str](), Counter[str](), Counter[str]()
    for count in counts:
        by_status[count.status] += count.n
        by_stage[count.stage] += count.n
        by_profile[count.profile or NO_PROFILE] += count.n
    return Summary(
        jobs=JobsSummary(
            total=by_status.total(),
            by_status=_all(JobStatus, by_status),
            by_stage=_all(Stage, by_stage),
            by_profile=dict(sorted(by_profile.items())),
        ),
        queue=QueueSummary(
            by_status[JobStatus.QUEUED], None if row.oldest_seconds is None else max(row.oldest_seconds, 0.0)
        ),
        last_hour=Ended(row.hour_finished, row.hour_failed),
        last_day=Ended(row.day_finished, row.day_failed),
        stages=StagesSummary(*(_times(stage) for stage in (row.scan, row.convert, row.export, row.chunk))),
        volume=VolumeSummary(
            documents=row.documents,
            pages=row.pages_converted,
            bytes_in=row.document_bytes,
            bytes_stored=row.document_bytes + row.artifact_bytes,
        ),
        generated_at=row.generated_at,
    )


def _all(names: Iterable[str], counted: Counter[str]) -> dict[str, int]:
    return {str(name): counted[name] for name in names}


def _times(percentiles: list[float] | None) -> StageTimes:
    return StageTimes(*percentiles) if percentiles else StageTimes(None, None)
