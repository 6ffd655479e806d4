"""``updated_after``: no change slips behind a watermark that was served."""

import asyncio
import random
from datetime import UTC, datetime

from docrefinery.store import jobs
from docrefinery.store.database import Database
from docrefinery.store.jobs import JobFilters
from docrefinery.store.paging import PageRequest
from tests.support.tenants import make_document, make_job, make_tenant

WRITERS, CHANGES = 10, 25


async def pool(db: Database, size: int) -> Database:
    other = Database(db._config["dsn"], pool_size=size)
    await other.start()
    return other


async def test_no_change_slips_behind_a_served_watermark(db: Database) -> None:
    tenant = await make_tenant(db, "acme")
    document = await make_document(db, tenant)
    made = [(await make_job(db, tenant, document.id)).id for _ in range(6)]
    writers = await pool(db, WRITERS)
    # Last, since lists go through the pool that was started last.
    readers = await pool(db, 4)
    running, seen = WRITERS, set()
    choose = random.Random(7)

    async def write(number: int) -> None:
        nonlocal running
        for change in range(CHANGES):
            mark = f"{number}-{change}"
            job_id = choose.choice(made)
            async with writers.transaction():
                if choose.random() < 0.2:
                    await jobs.insert(writers, tenant, new_job(document.id, mark))
                else:
                    await writers.fetch("UPDATE jobs SET request_id = $2 WHERE id = $1", job_id, mark)
                await writers.fetch("SELECT pg_sleep($1)", choose.random() * 0.004)
        running -= 1

    async def follow() -> None:
        """Read as an integrator does: from the last ``modified_at`` on, each time by small pages."""
        watermark = datetime(2020, 1, 1, tzinfo=UTC)
        versions: dict[int, datetime] = {}
        while True:
            last_round = running == 0
            request = PageRequest(size=3)
            while True:
                page = await jobs.page(tenant, JobFilters(updated_after=watermark), request)
                for job in page.items:
                    versions[job.id] = max(job.modified_at, versions.get(job.id, job.modified_at))
                if page.next is None:
                    break
                request = PageRequest(size=3, cursor=page.next)
            watermark = max([watermark, *versions.values()])
            if last_round:
                break
        seen.add(tuple(sorted(versions.items())))

    await asyncio.gather(*(write(n) for n in range(WRITERS)), *(follow() for _ in range(3)))
    truth = {row["id"]: row["modified_at"] for row in await db.fetch("SELECT id, modified_at FROM jobs")}
    await writers.close()
    await readers.close()
    assert seen == {tuple(sorted(truth.items()))}


def new_job(document_id: int, mark: str) -> jobs.NewJob:
    return jobs.NewJob(
        document_id=document_id, external_uuid=None, profile=None, options="{}", exports=[], ignored_options="{}",
        request_id=mark,
    )  # fmt: skip


async def test_transaction_that_began_first_and_commits_last_is_not_passed_over(db: Database) -> None:
    tenant = await make_tenant(db, "acme")
    slow, fast = [await make_job(db, tenant) for _ in range(2)]
    other = await pool(db, 1)
    began = asyncio.Event()

    async def late() -> None:
        async with other.transaction():
            await other.fetch("SELECT now()")
            began.set()
            await other.fetch("UPDATE jobs SET request_id = 'late' WHERE id = $1", slow.id)
            await other.fetch("SELECT pg_sleep(0.2)")

    task = asyncio.create_task(late())
    await began.wait()
    await db.fetch("UPDATE jobs SET request_id = 'early' WHERE id = $1", fast.id)
    served = await jobs.page(tenant, JobFilters(updated_after=datetime(2020, 1, 1, tzinfo=UTC)), PageRequest())
    watermark = served.items[-1].modified_at
    await task
    later = await jobs.page(tenant, JobFilters(updated_after=watermark), PageRequest())
    known = {job.id: job.modified_at for job in [*served.items, *later.items]}
    truth = {row["id"]: row["modified_at"] for row in await db.fetch("SELECT id, modified_at FROM jobs")}
    await other.close()
    assert known == truth


async def test_two_changes_never_have_the_same_time(db: Database) -> None:
    tenant = await make_tenant(db, "acme")
    made = [(await make_job(db, tenant)).id for _ in range(3)]
    await db.fetch("UPDATE jobs SET request_id = 'all at once' WHERE id = ANY($1::bigint[])", made)
    rows = await db.fetch("SELECT DISTINCT modified_at FROM jobs")
    assert len(rows) == 3


async def test_tenants_do_not_wait_for_each_other(db: Database) -> None:
    one, two = [await make_tenant(db, name) for name in ("one", "two")]
    first, second = await make_job(db, one), await make_job(db, two)
    other = await pool(db, 1)
    async with other.transaction():
        await other.fetch("UPDATE jobs SET request_id = 'x' WHERE id = $1", first.id)
        async with asyncio.timeout(5):
            await db.fetch("UPDATE jobs SET request_id = 'x' WHERE id = $1", second.id)
    await other.close()
