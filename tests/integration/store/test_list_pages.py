"""Lists of jobs hold what their filters say, once each and in order, however the rows are found and paged through."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import asyncpg
import pytest

from docrefinery.settings import Settings
from docrefinery.store import jobs
from docrefinery.store.database import Database
from docrefinery.store.jobs import JobFilters
from docrefinery.store.paging import PageRequest
from docrefinery.store.records import JobRecord
from docrefinery.store.sql.counters import RECOUNT
from tests.support.tenants import make_job, make_tenant
from tests.support.work import HandWorker

SIZE = 4
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


async def paged(tenant_id: int, filters: JobFilters) -> list[int]:
    """Page forward to the end, and back again; both have to tell the same."""
    request, forward = PageRequest(size=SIZE), list[list[int]]()
    while True:
        page = await jobs.page(tenant_id, filters, request)
        forward.append([job.id for job in page.items])
        if page.next is None:
            break
        request = PageRequest(size=SIZE, cursor=page.next)
    back = list[list[int]]()
    while page.previous is not None:
        page = await jobs.page(tenant_id, filters, PageRequest(size=SIZE, cursor=page.previous))
        back.insert(0, [job.id for job in page.items])
    assert [one for part in back for one in part] == [one for part in forward[:-1] for one in part]
    return [one for part in forward for one in part]


def expected(known: Sequence[JobRecord], filters: JobFilters) -> list[int]:
    """Return what a list should hold, by looking at every job."""
    found = [job for job in known if _fits(job, filters)]
    if filters.updated_after is not None:
        return [job.id for job in sorted(found, key=lambda job: (job.modified_at, job.id))]
    return sorted((job.id for job in found), reverse=True)


def _fits(job: JobRecord, filters: JobFilters) -> bool:
    return (
        (filters.status is None or job.status in filters.status)
        and (filters.stage is None or job.stage in filters.stage)
        and (filters.profile is None or job.profile in filters.profile)
        and (filters.document_id is None or job.document_id == filters.document_id)
        and (filters.created_after is None or job.created_at >= filters.created_after)
        and (filters.created_before is None or job.created_at <= filters.created_before)
        and (filters.updated_after is None or job.modified_at >= filters.updated_after)
    )


async def jobs_of_all_kinds(db: Database, settings: Settings, tenant_id: int) -> list[JobRecord]:
    worker = HandWorker.of(db, settings)
    for number in range(24):
        await make_job(db, tenant_id)
        if number % 3 == 0:
            await worker.fail(await worker.claim())
        elif number % 3 == 1:
            await worker.publish(await worker.claim())
    await db.fetch(
        "UPDATE jobs SET profile = CASE id % 3 WHEN 0 THEN 'fast_text' WHEN 1 THEN 'rare' END WHERE tenant_id = $1",
        tenant_id,
    )
    rows = await db.fetch("SELECT * FROM job_views WHERE tenant_id = $1 ORDER BY id", tenant_id)
    return [JobRecord.of(row) for row in rows]


async def test_lists_hold_what_their_filters_say(db: Database, settings: Settings) -> None:
    tenant_id, other = await make_tenant(db, "acme"), await make_tenant(db, "globex")
    known = await jobs_of_all_kinds(db, settings, tenant_id)
    await make_job(db, other)

    def moment(place: int, name: str = "created_at") -> datetime:
        found: datetime = getattr(known[place], name)
        return found

    choices: dict[str, list[Any]] = {
        "status": [None, ("QUEUED",), ("FAILED", "SUCCEEDED"), ("CANCELED",)],
        "stage": [None, ("SCANNING",), ("FINALIZING", "SCANNING")],
        "profile": [None, ("rare",), ("fast_text", "rare", "none")],
        "document_id": [None, known[5].document_id],
        "created_after": [None, moment(6)],
        "created_before": [None, moment(15)],
        "updated_after": [None, sorted(job.modified_at for job in known)[8]],
    }
    for values in product(*choices.values()):
        filters = JobFilters(**dict(zip(choices, values, strict=True)))
        assert await paged(tenant_id, filters) == expected(known, filters), filters


LAGS = [timedelta(seconds=seconds) for seconds in (0, 1, 59.999999, 60, 119, 120, 3600, 40_000, 3e5, 3.3e7)]


async def jobs_that_changed_late(db: Database, settings: Settings, tenant_id: int, choose: Random) -> list[JobRecord]:
    """Make jobs minutes apart, each of which has changed last at the end of an octave, or between two."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    owner = await asyncpg.connect(settings.migration_database_url)
    await owner.execute("ALTER TABLE jobs DISABLE TRIGGER USER")
    for _ in range(30):
        job = await make_job(db, tenant_id)
        moment += timedelta(minutes=choose.choice([1, 90, 2000]))
        lag, profile, known = choose.choice(LAGS), choose.choice([None, "rare"]), choose.random() < 0.8
        await owner.execute(
            """UPDATE jobs SET created_at = $2, modified_at = $2::timestamptz + $3::interval, profile = $4,
                   modified_octave = CASE WHEN $5 THEN octave_of($3::interval) ELSE -1 END WHERE id = $1""",
            *(job.id, moment, lag, profile, known),
        )
    await owner.execute("ALTER TABLE jobs ENABLE TRIGGER USER;" + ";".join(RECOUNT))
    await owner.close()
    rows = await db.fetch("SELECT * FROM job_views WHERE tenant_id = $1 ORDER BY id", tenant_id)
    return [JobRecord.of(row) for row in rows]


@pytest.mark.parametrize("seed", range(3))
async def test_lists_by_creation_and_change_hold_what_their_filters_say(
    db: Database, settings: Settings, seed: int
) -> None:
    choose = Random(seed)
    tenant_id = await make_tenant(db, "acme")
    known = await jobs_that_changed_late(db, settings, tenant_id, choose)
    lags = [job.modified_at - job.created_at for job in known]
    moments = [moment for job in known for moment in (job.created_at, job.modified_at)]
    moments += [known[0].created_at + 2 * lag for lag in lags] + [FIRST, LAST]
    for _ in range(100):
        changed, after, before = (choose.choice(moments) for _ in range(3))
        filters = JobFilters(
            updated_after=changed,
            created_after=choose.choice([None, after]),
            created_before=choose.choice([None, before]),
            profile=choose.choice([None, ("rare",), ("rare", "none")]),
        )
        assert await paged(tenant_id, filters) == expected(known, filters), filters


async def test_every_change_says_how_long_after_the_creation_it_came(db: Database, settings: Settings) -> None:
    async def octave(job_id: int) -> int:
        [row] = await db.fetch("SELECT modified_octave FROM jobs WHERE id = $1", job_id)
        found: int = row["modified_octave"]
        return found

    tenant_id = await make_tenant(db, "acme")
    new, old = await make_job(db, tenant_id), await make_job(db, tenant_id)
    assert await octave(new.id) == 0
    owner = await asyncpg.connect(settings.migration_database_url)
    await owner.execute("ALTER TABLE jobs DISABLE TRIGGER USER")
    await owner.execute("UPDATE jobs SET created_at = now() - interval '3 hours', modified_octave = -1")
    await owner.execute("ALTER TABLE jobs ENABLE TRIGGER USER")
    await owner.close()
    await jobs.cancel(db, tenant_id, old.id)
    # 180 minutes are between 2 ** 7 and 2 ** 8 of them.
    assert (await octave(new.id), await octave(old.id)) == (-1, 8)
