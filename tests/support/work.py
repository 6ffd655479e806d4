"""Jobs taken through their states as a worker would, with results made by hand instead of a conversion."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from msgspec import Struct

from docrefinery.bootstrap.common import blobs_of
from docrefinery.model import JOB_QUEUES, JobStatus, Stage
from docrefinery.settings import Settings
from docrefinery.store import claims, garbage
from docrefinery.store.artifacts import NewArtifact
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.presentation import presentation
from docrefinery.store.records import ClaimRecord

LEASE = timedelta(seconds=60)
RESULTS = {"docling_json": b'{"name": "made by hand"}', "markdown": b"# Made by hand\n"}
CONTENT_TYPES = {"docling_json": "application/json", "markdown": "text/markdown; charset=utf-8"}


class HandWorker(Struct, frozen=True):
    """A worker whose every step is taken by the test."""

    db: Database
    blobs: Blobs
    id: UUID

    @classmethod
    def of(cls, db: Database, settings: Settings) -> "HandWorker":
        """Make a worker on the storage of an installation."""
        return cls(db, blobs_of(settings), uuid4())

    async def claim(self, lease: timedelta = LEASE, queues: Sequence[str] = JOB_QUEUES) -> ClaimRecord:
        """Take the next job; fail if there is none."""
        claim = await claims.claim(self.db, queues, self.id, lease)
        assert claim is not None, "no job is queued"
        return claim

    async def beat(self, claim: ClaimRecord, pages_done: int = 0, pages_total: int | None = None) -> claims.Beat:
        """Extend the lease."""
        return await claims.beat(self.db, claim, LEASE, pages_done=pages_done, pages_total=pages_total)

    async def publish(self, claim: ClaimRecord, results: dict[str, bytes] | None = None) -> bool:
        """End a job as succeeded, with artifacts of these contents."""
        prefix = f"{claim.tenant_uuid}/jobs/{claim.job_uuid}/{claim.token}"
        await garbage.note(self.db, prefix, removable_in=timedelta(hours=1))
        artifacts = []
        for kind, content in (RESULTS if results is None else results).items():
            filename = f"{Path(claim.original_filename).stem}.{kind}"
            content_type = CONTENT_TYPES.get(kind, "text/plain; charset=utf-8")
            async with self.blobs.writing(f"{prefix}/{kind}") as writer:
                writer.describe(presentation(filename, content_type))
                await writer.write(content)
            artifacts.append(
                NewArtifact(
                    kind=kind,
                    filename=filename,
                    content_type=content_type,
                    size_bytes=len(content),
                    sha256=hashlib.sha256(content).hexdigest(),
                    blob_key=f"{prefix}/{kind}",
                )
            )
        outcome = claims.Outcome(
            status=JobStatus.SUCCEEDED, pages_total=1, pages_done=1, page_count=1, scanned_clean=True, convert_ms=1
        )
        return await claims.finish(self.db, claim, outcome, results=artifacts, blob_prefix=prefix)

    async def fail(self, claim: ClaimRecord, code: str = "CONVERSION_FAILED", *, clean: bool = True) -> bool:
        """End a job as failed."""
        outcome = claims.Outcome(
            status=JobStatus.FAILED, error_code=code, error_message="Made by hand.", scanned_clean=clean
        )
        return await claims.finish(self.db, claim, outcome)

    async def quarantine(self, claim: ClaimRecord) -> bool:
        """End a job whose file is malware."""
        outcome = claims.Outcome(
            status=JobStatus.QUARANTINED, error_code="MALWARE_DETECTED", error_message="Made by hand."
        )
        return await claims.finish(self.db, claim, outcome)

    async def acknowledge_cancel(self, claim: ClaimRecord) -> bool:
        """End a job that was asked to stop."""
        return await claims.finish(self.db, claim, claims.Outcome(status=JobStatus.CANCELED))

    async def to(self, status: str) -> ClaimRecord | None:
        """Bring the next queued job to a status."""
        if status == JobStatus.QUEUED:
            return None
        claim = await self.claim()
        if status == JobStatus.RUNNING:
            await claims.enter_stage(self.db, claim, Stage.CONVERTING, scan_ms=1)
        elif status == JobStatus.SUCCEEDED:
            await self.publish(claim)
        elif status == JobStatus.FAILED:
            await self.fail(claim)
        elif status == JobStatus.QUARANTINED:
            await self.quarantine(claim)
        elif status == JobStatus.CANCELED:
            await self.acknowledge_cancel(claim)
        return claim
