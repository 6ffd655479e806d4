"""Counters that triggers keep are those that the migration counts."""

import random
from collections.abc import Sequence

import asyncpg
import pytest

from docrefinery.model import JobStatus
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from docrefinery.store.sql.counters import RECOUNT, STAGE_BOUNDS_MS
from tests.support.counted import assert_counted
from tests.support.tenants import make_job, make_tenant
from tests.support.work import HandWorker

TABLES = (
    "tenant_job_counts", "tenant_finished_jobs", "tenant_finished_minutes", "tenant_stage_times", "tenant_volumes",
)  # fmt: skip


async def counted(db: Database) -> dict[str, set[tuple[object, ...]]]:
    """Return every row of the tables that triggers keep, but for kinds of jobs that are no more."""
    rows: dict[str, Sequence[asyncpg.Record]] = {table: await db.fetch(f"SELECT * FROM {table}") for table in TABLES}
    return {
        table: {tuple(row.values()) for row in found if table != "tenant_job_counts" or row["n"]}
        for table, found in rows.items()
    }


async def recount(settings: Settings) -> None:
    owner = await asyncpg.connect(settings.migration_database_url)
    try:
        for statement in RECOUNT:
            await owner.execute(statement)
    finally:
        await owner.close()


async def test_what_triggers_counted_is_what_a_migration_counts(
    db: Database, settings: Settings, worker: HandWorker
) -> None:
    choose = random.Random(7)
    tenants = [await make_tenant(db, name) for name in ("one", "two", "none")]
    for _ in range(24):
        await make_job(db, choose.choice(tenants[:2]))
        await worker.to(choose.choice(list(JobStatus)))
    by_triggers = await counted(db)
    await assert_counted(db)
    await recount(settings)
    assert await counted(db) == by_triggers


async def test_a_finished_job_that_is_inserted_counts_as_one_that_ended(db: Database, settings: Settings) -> None:
    job = await make_job(db, await make_tenant(db, "acme"))
    await db.fetch(
        """INSERT INTO jobs (tenant_id, document_id, status, scan_ms, pages_done, finished_at)
           SELECT tenant_id, document_id, 'SUCCEEDED', 5, 3, now() FROM jobs WHERE id = $1""",
        job.id,
    )
    by_triggers = await counted(db)
    assert {row[-1] for row in by_triggers["tenant_volumes"]} == {3}
    await recount(settings)
    assert await counted(db) == by_triggers


@pytest.mark.parametrize("number", range(len(STAGE_BOUNDS_MS)))
async def test_a_bucket_ends_with_its_bound(db: Database, number: int) -> None:
    bound = STAGE_BOUNDS_MS[number]
    row = await db.fetch_one("SELECT stage_bucket($1) AS at, stage_bucket($2) AS above", bound, bound + 1)
    assert row is not None
    assert (row["at"], row["above"]) == (number, number + 1)
