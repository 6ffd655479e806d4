"""Row-level security: what a request's tenant cannot reach, whatever the statements say."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from docrefinery.settings import Settings
from docrefinery.store import audit, documents, jobs, metrics, tenants, wall, webhooks
from docrefinery.store.database import Database
from docrefinery.store.documents import DocumentFilters
from docrefinery.store.paging import PageRequest
from tests.support.tenants import make_document, make_job, make_tenant
from tests.support.work import HandWorker

WITHOUT = {
    "leases": "page counts and tokens of running jobs, shown by a view that has passed the jobs' wall",
    "workers": "of the installation",
    "counters": "of the installation",
    "unreferenced_blobs": "names of files that nothing refers to, kept by tenant in the storage",
    "migration": "of the installation",
    "models_seen": "of the installation",
}
"""Tables without a wall, and why."""


@pytest.fixture
async def walled(settings: Settings, db: Database) -> AsyncIterator[Database]:
    """The database as requests of tenants have it."""
    database = Database(settings.database_url, pool_size=4, walled=True)
    await database.start()
    wall.hold_to_nobody()
    yield database
    wall.hold_to_nobody()
    await database.close()


@pytest.fixture
async def two(db: Database, settings: Settings) -> tuple[int, int]:
    """Two tenants that have something in every table."""
    made = []
    worker = HandWorker.of(db, settings)
    for name in ("acme", "globex"):
        tenant = await make_tenant(db, name)
        await tenants.create_key(
            db,
            tenant,
            tenants.NewKey(
                name="", prefix=name, secret_sha256=bytes(32), scopes=[], expires_at=None, options="{}",
                default_profile=None,
            ),
        )  # fmt: skip
        await webhooks.insert(
            db,
            tenant,
            webhooks.EndpointValues(name="a", url="https://a.test", secret=None, events=["job.updated"], enabled=True),
        )
        await db.fetch("INSERT INTO disabled_profiles VALUES ($1, 'fast_text')", tenant)
        await db.fetch("INSERT INTO idempotency_records VALUES ($1, 'k', '', '{}')", tenant)
        await db.fetch("INSERT INTO tenant_keys VALUES ($1, $2)", tenant, bytes(60))
        await audit.insert(db, [audit.NewEntry(action="key.created", actor_kind="system", actor="", tenant_id=tenant)])
        await make_job(db, tenant)
        await worker.publish(await worker.claim())
        await db.fetch(
            "INSERT INTO slices (tenant_id, job_id, first_page, last_page, reader)"
            " SELECT tenant_id, id, 1, 8, 'r' FROM jobs WHERE tenant_id = $1",
            tenant,
        )
        await db.fetch(
            "INSERT INTO expired_artifacts (id, uuid, tenant_id, job_id) SELECT id, uuid, tenant_id, id FROM jobs"
            " WHERE tenant_id = $1",
            tenant,
        )
        for kind in ("documents", "jobs"):
            await db.fetch(
                f"INSERT INTO expired_{kind} (id, uuid, tenant_id) SELECT id, uuid, tenant_id FROM {kind}"
                " WHERE tenant_id = $1",
                tenant,
            )
        made.append(tenant)
    return made[0], made[1]


async def tables(db: Database) -> list[tuple[str, str | None]]:
    """Return every table, and the column that says whose a row is."""
    rows = await db.fetch(
        """SELECT c.relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id') AS own
           FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname"""
    )
    return [(row["relname"], "id" if row["relname"] == "tenants" else row["own"]) for row in rows]


async def test_every_table_has_a_wall_or_a_reason(db: Database) -> None:
    rows = await db.fetch(
        """SELECT relname, relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) AS walled
           FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
    )
    assert {row["relname"] for row in rows if not row["walled"]} == WITHOUT.keys()


async def test_a_tenant_reads_its_own_rows_alone_in_every_table(
    db: Database, walled: Database, two: tuple[int, int]
) -> None:
    ours, _ = two
    wall.hold_to(ours)
    for table, column in await tables(db):
        if column is None:
            continue
        there = {row[column] for row in await db.fetch(f"SELECT DISTINCT {column} FROM {table}")}
        seen = {row[column] for row in await walled.fetch(f"SELECT DISTINCT {column} FROM {table}")}
        assert set(two) <= there, table
        # The audit log is the operator's alone.
        assert seen == (set() if table == "audit_log" else {ours}), table
    events = await walled.fetch("SELECT DISTINCT j.tenant_id FROM job_events e LEFT JOIN jobs j ON j.id = e.job_id")
    assert [row["tenant_id"] for row in events] == [ours]


async def test_nobody_reads_nothing(db: Database, walled: Database, two: tuple[int, int]) -> None:
    for table in sorted({name for name, _ in await tables(db)} - WITHOUT.keys()):
        assert await walled.fetch(f"SELECT FROM {table}") == [], table


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE jobs SET request_id = 'mine'",
        "UPDATE documents SET original_filename = 'mine'",
        "UPDATE api_keys SET revoked_at = now()",
        "DELETE FROM webhook_endpoints",
        "DELETE FROM idempotency_records",
        "UPDATE tenants SET options = '{}'",
    ],
)
async def test_a_change_of_everything_changes_the_own_rows(
    db: Database, walled: Database, two: tuple[int, int], statement: str
) -> None:
    column = "id" if "tenants" in statement else "tenant_id"
    wall.hold_to(two[0])
    changed = await walled.fetch(f"{statement} RETURNING {column}")
    assert {row[column] for row in changed} == {two[0]}


async def test_a_row_for_another_tenant_is_refused(walled: Database, two: tuple[int, int]) -> None:
    ours, theirs = two
    wall.hold_to(ours)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await make_document(walled, theirs)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await walled.fetch("UPDATE disabled_profiles SET tenant_id = $1", theirs)


async def test_store_asked_for_another_tenant_finds_nothing(
    db: Database, walled: Database, two: tuple[int, int]
) -> None:
    ours, theirs = two
    [job] = await db.fetch("SELECT id, uuid, document_id FROM jobs WHERE tenant_id = $1", theirs)
    wall.hold_to(ours)
    assert await jobs.get(walled, theirs, job["id"]) is None
    assert await jobs.get(walled, theirs, UUID(str(job["uuid"]))) is None
    assert await documents.get(walled, theirs, job["document_id"]) is None
    assert (await documents.page(theirs, DocumentFilters(), PageRequest())).items == []
    async with walled.transaction():
        assert await jobs.lock(walled, theirs, job["id"]) is None
    wall.hold_to(theirs)
    found = await jobs.get(walled, theirs, job["id"])
    assert found is not None
    assert found.id == job["id"]


async def test_wall_is_gone_from_a_connection_that_goes_back(settings: Settings, two: tuple[int, int]) -> None:
    one = Database(settings.database_url, pool_size=1, walled=True)
    await one.start()
    for tenant in (*two, two[0]):
        wall.hold_to(tenant)
        await jobs.get(one, tenant, 1)
        rows = await one.fetch("SELECT id FROM tenants")
        assert [row["id"] for row in rows] == [tenant]
    wall.hold_to_nobody()
    assert await one.fetch("SELECT id FROM tenants") == []
    await one.close()


async def test_broken_transaction_leaves_neither_rows_nor_reach(
    db: Database, walled: Database, two: tuple[int, int]
) -> None:
    wall.hold_to(two[0])

    async def broken() -> None:
        async with walled.transaction():
            await walled.fetch("DELETE FROM disabled_profiles")
            raise LookupError

    with pytest.raises(LookupError):
        await broken()
    assert len(await db.fetch("SELECT FROM disabled_profiles")) == 2
    wall.hold_to_nobody()
    assert await walled.fetch("SELECT FROM disabled_profiles") == []


async def test_what_is_not_about_one_tenant_says_so(db: Database, walled: Database, two: tuple[int, int]) -> None:
    figures = await metrics.figures(walled, 10, ["convert"])
    assert sum(figures.jobs.values()) == 2
    key = await tenants.key_by_prefix(walled, "globex")
    assert key is not None
    assert key.tenant_id == two[1]
    assert wall.reach() == wall.NOBODY


async def test_version_before_the_walls_reaches_what_it_did(settings: Settings, two: tuple[int, int]) -> None:
    """It says nothing of tenants to the database, and runs on while the schema is brought up to date."""
    before = await asyncpg.connect(settings.database_url)
    assert await before.fetchval("SELECT count(*) FROM job_views") == 2
    await before.execute("UPDATE jobs SET request_id = 'old'")
    assert await before.fetchval("SELECT count(*) FROM jobs WHERE request_id = 'old'") == 2
    await before.close()


@pytest.mark.parametrize(
    "statement",
    [
        """INSERT INTO artifacts (tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256,
                                  blob_key)
           SELECT $1, j.id, d.id, 'x', '', '', 0, repeat('0', 64), 'x' FROM jobs j, documents d
           WHERE j.tenant_id = $2 AND d.tenant_id = $1""",
        """INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event, job_id, sequence)
           SELECT $1, w.id, 'job.updated', e.job_id, e.sequence FROM webhook_endpoints w, job_events e
           JOIN jobs j ON j.id = e.job_id WHERE w.tenant_id = $1 AND j.tenant_id = $2 LIMIT 1""",
        """INSERT INTO jobs (tenant_id, document_id) SELECT $1, id FROM documents WHERE tenant_id = $2""",
    ],
)
async def test_a_row_cannot_point_at_another_tenants(db: Database, two: tuple[int, int], statement: str) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await db.fetch(statement, *two)


async def test_nobody_looks_across_tenants_from_within_a_tenants_transaction(walled: Database) -> None:
    wall.hold_to(1)
    async with walled.transaction():
        await walled.fetch("SELECT 1")
        with pytest.raises(RuntimeError, match="before it begins"), wall.across_tenants():
            pass
    with wall.across_tenants():
        async with walled.transaction():
            with wall.across_tenants():
                assert wall.reach() == wall.EVERYBODY
