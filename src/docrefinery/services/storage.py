"""The storage compared with the database, for the operator."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from msgspec import Struct, field

from docrefinery.errors import InvalidRequest
from docrefinery.services.audit import Action, note
from docrefinery.store import garbage, storage
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.storage import BlobRow, Miscounted

log = structlog.get_logger(__name__)

ORPHANED = timedelta(days=1)
"""A blob that nothing refers to is left alone for so long; none is on its way for half of it."""
AT_A_TIME = 16
FOLDERS = frozenset({"documents", "jobs", "encrypted"})
"""What a tenant's folder holds."""


class Report(Struct, kw_only=True):
    """What was found.

    ``orphans`` are blobs without a row, ``half_written`` files of uploads that were killed, ``foreign`` files that this
    installation cannot have written (they are left alone), ``missing`` rows without their blob, ``miscounted`` tenants
    whose counters are wrong.
    """

    blobs: int = 0
    rows: int = 0
    orphans: list[str] = field(default_factory=list)
    half_written: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    missing: list[BlobRow] = field(default_factory=list)
    miscounted: list[Miscounted] = field(default_factory=list)
    repaired: bool = False

    @property
    def clean(self) -> bool:
        """Whether there is nothing to repair."""
        return not (self.orphans or self.half_written or self.missing or self.miscounted)


class Storage:
    """Looks at every blob and every row. It may run while the service does."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs

    async def check(self, *, repair: bool = False, force: bool = False) -> Report:
        """Compare, and repair what was found.

        :param repair: remove orphans and half-written files, let rows without a blob answer as expired, and count
            anew.
        :param force: do so although most rows have no blob, or most blobs no row.
        :raises InvalidRequest: if that is so, as with the wrong storage or database; nothing is changed then.
        :raises StorageError: if the storage cannot be read.
        """
        before = datetime.now(UTC) - ORPHANED
        report = Report()
        tenants = await storage.tenants(self._db)
        async for listed in self._blobs.list():
            report.blobs += len(listed)
            old = [blob.key for blob in listed if blob.modified_at < before]
            own = _own(report, tenants, old)
            report.orphans += await storage.unknown(self._db, own)
        half_written = await asyncio.to_thread(self._blobs.half_written, before)
        report.half_written = _own(report, tenants, half_written)
        await self._find_missing(report)
        report.miscounted = await storage.miscounted(self._db)
        if repair and not report.clean:
            await self._repair(report, force=force)
        return report

    async def _find_missing(self, report: Report) -> None:
        tables: tuple[storage.Table, ...] = ("documents", "artifacts")
        for table in tables:
            after = 0
            while rows := await storage.rows(self._db, table, after):
                after = rows[-1].id
                report.rows += len(rows)
                for start in range(0, len(rows), AT_A_TIME):
                    some = rows[start : start + AT_A_TIME]
                    there = await asyncio.gather(*(self._blobs.exists(row.blob_key) for row in some))
                    absent = [row for row, found in zip(some, there, strict=True) if not found]
                    # It may have been deleted since the page was read.
                    report.missing += [row for row in absent if await storage.still_there(self._db, row)]

    async def _repair(self, report: Report, *, force: bool) -> None:
        if len(report.missing) * 2 > report.rows and not force:
            raise InvalidRequest(
                f"{len(report.missing)} of {report.rows} documents and artifacts have no blob, as if this were another "
                "storage: check DOCREFINERY_STORAGE_URL. Nothing was changed; --force repairs all the same."
            )
        known, unknown = report.rows - len(report.missing), len(report.orphans)
        if (unknown or report.half_written) and (unknown > known or not report.rows) and not force:
            raise InvalidRequest(
                f"{unknown} blobs have no row and {known} have one, as if this were another database: check "
                "DATABASE_URL and DOCREFINERY_STORAGE_URL. Nothing was changed; --force repairs all the same."
            )
        await garbage.note_all(self._db, report.orphans)
        for key in report.orphans:
            async with self._db.transaction():
                if await garbage.hold(self._db, key, due=True):
                    await self._blobs.delete(key)
                    await garbage.forget(self._db, key)
        await asyncio.to_thread(self._blobs.remove_half_written, report.half_written)
        await storage.lose(self._db, report.missing)
        for tenant in report.miscounted:
            await storage.recount(self._db, tenant.tenant_id)
        await note(
            self._db,
            Action.STORAGE_REPAIRED,
            None,
            "storage",
            orphans=len(report.orphans),
            half_written=len(report.half_written),
            missing=len(report.missing),
            miscounted=len(report.miscounted),
            forced=force,
        )
        report.repaired = True


def _own(report: Report, tenants: frozenset[str], keys: Sequence[str]) -> list[str]:
    """Return the keys that a known tenant's blobs may have, and report the others as foreign."""
    own: list[str] = []
    for key in keys:
        parts = key.split("/", 2)
        mine = len(parts) == 3 and parts[0] in tenants and parts[1] in FOLDERS
        (own if mine else report.foreign).append(key)
    return own
