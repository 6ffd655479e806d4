"""Ending a job: its results into the storage, then everything about it in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import PurePath

import msgspec
import structlog

from docrefinery import errors
from docrefinery.model import JobStatus, JobWarning
from docrefinery.pipeline.outcomes import Artifact, Converted, Progress
from docrefinery.pipeline.patience import patiently
from docrefinery.pipeline.traced import note_end
from docrefinery.plugin.registry import Registry
from docrefinery.store import claims, garbage, tenants
from docrefinery.store.artifacts import NewArtifact
from docrefinery.store.database import Database
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.presentation import presentation
from docrefinery.store.records import ClaimRecord

log = structlog.get_logger(__name__)

UNPUBLISHED = timedelta(hours=1)
"""After this, results that were stored and not published are garbage; publishing takes seconds."""


def file_name(original: str, suffix: str) -> str:
    """Return an artifact's file name: the document's, with the exporter's suffix in place of ``.pdf``."""
    path = PurePath(original)
    stem = path.stem if path.suffix.lower() == ".pdf" and path.stem else original
    return stem + suffix


def _counted(pages: Progress | None, details: Mapping[str, object]) -> tuple[int | None, int | None]:
    """Return of how many pages a failed job is, and how many are done: nothing if they were not counted."""
    if pages is None or not pages.pages_total:
        return None, None
    failed = details.get("failed_pages")
    lost = len(failed) if isinstance(failed, list) else 0
    return pages.pages_total, max(pages.pages_done - lost, 0)


class Publisher:
    """Writes how jobs end."""

    def __init__(self, db: Database, vault: Vault, registry: Registry) -> None:
        self._db = db
        self._vault = vault
        self._registry = registry

    async def publish(self, claim: ClaimRecord, converted: Converted, warnings: list[JobWarning]) -> None:
        """Store the artifacts, then publish them with the job's success.

        :raises LeaseLost: if the job is somebody else's by now; what was stored is left to the sweep.
        :raises StorageError: if the storage does not take them, or the key that they are sealed under was given up.
        """
        prefix = f"{claim.tenant_uuid}/jobs/{claim.job_uuid}/{claim.token}"
        await patiently(lambda: garbage.note(self._db, prefix, removable_in=UNPUBLISHED))
        own = await patiently(lambda: tenants.encrypts(self._db, claim.tenant_id))
        encrypt = self._vault.encrypts(own)
        results = [await self._store(claim, prefix, artifact, encrypt=encrypt) for artifact in converted.artifacts]
        outcome = claims.Outcome(
            status=JobStatus.SUCCEEDED,
            warnings=msgspec.json.encode([*warnings, *converted.warnings]).decode(),
            engine=msgspec.json.encode(converted.engine).decode(),
            pages_total=converted.pages_total,
            pages_done=converted.pages_total - len(converted.failed_pages),
            convert_ms=converted.convert_ms,
            export_ms=converted.export_ms,
            chunk_ms=converted.chunk_ms,
            partial=converted.partial,
            failed_pages=list(converted.failed_pages),
            page_count=converted.page_count,
            scanned_clean=True,
        )
        if not await self._finish(claim, outcome, results=results, blob_prefix=prefix):
            await self._vault.delete(prefix)
            await garbage.forget(self._db, prefix)

    async def fail(
        self,
        claim: ClaimRecord,
        code: str,
        message: str,
        details: Mapping[str, object] | None = None,
        *,
        scanned: Sequence[JobWarning] | None = None,
        pages: Progress | None = None,
    ) -> None:
        """End a job as failed.

        :param scanned: what the scan says, if the file was scanned and nothing found.
        :param pages: how far the conversion came, if it began. Failed pages are in ``details``.
        """
        log.info("job_failed", error_code=code, error_message=message)
        encoded = msgspec.json.encode(details).decode() if details else None
        total, done = _counted(pages, details or {})
        await self._finish(
            claim,
            claims.Outcome(
                status=JobStatus.FAILED,
                error_code=code,
                error_message=message,
                error_details=encoded,
                warnings=msgspec.json.encode(scanned or []).decode(),
                scanned_clean=scanned is not None,
                pages_total=total,
                pages_done=done,
            ),
        )

    async def quarantine(self, claim: ClaimRecord, signature: str) -> None:
        """End a job whose file is malware."""
        log.warning("malware_detected", signature=signature)
        await self._finish(
            claim,
            claims.Outcome(
                status=JobStatus.QUARANTINED,
                error_code=errors.MalwareDetected.error_code,
                error_message=f"The scanner recognised {signature}.",
                error_details=msgspec.json.encode({"signature": signature}).decode(),
            ),
        )

    async def cancel(self, claim: ClaimRecord) -> None:
        """End a job that was canceled."""
        log.info("job_canceled")
        await self._finish(claim, claims.Outcome(status=JobStatus.CANCELED))

    async def _finish(
        self,
        claim: ClaimRecord,
        outcome: claims.Outcome,
        *,
        results: list[NewArtifact] | None = None,
        blob_prefix: str | None = None,
    ) -> bool:
        async def finish() -> bool:
            async with self._db.transaction():
                await self._vault.hold_key(claim.tenant_id, [(new.blob_key, new.data_key) for new in results or ()])
                return await claims.finish(self._db, claim, outcome, results=results, blob_prefix=blob_prefix)

        written = await patiently(finish)
        note_end(outcome.status if written else JobStatus.CANCELED, outcome.error_code)
        return written

    async def _store(self, claim: ClaimRecord, prefix: str, artifact: Artifact, *, encrypt: bool) -> NewArtifact:
        exporter = self._registry.exporters[artifact.kind]
        key = f"{prefix}/{artifact.kind}{exporter.suffix}"
        filename = file_name(claim.original_filename, exporter.suffix)
        headers = presentation(filename, exporter.content_type)
        data_key = await patiently(
            lambda: self._vault.write_file(claim.tenant_id, key, artifact.path, headers, encrypt=encrypt)
        )
        return NewArtifact(
            kind=artifact.kind,
            filename=filename,
            content_type=exporter.content_type,
            size_bytes=artifact.size_bytes,
            sha256=artifact.sha256,
            blob_key=key,
            data_key=data_key,
        )
