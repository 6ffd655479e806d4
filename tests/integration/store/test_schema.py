"""The database, the tables as Piccolo sees them, and who may do what."""

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.columns import Array, Column
from piccolo.table import Table

from docrefinery.embedded import EmbeddedServices
from docrefinery.pipeline.patience import patiently
from docrefinery.store import migrate as migrating, migrations, schema
from docrefinery.store.database import Database
from docrefinery.store.locking import Busy, patience_ms
from docrefinery.store.migrate import migrate
from docrefinery.store.records import (
    ArtifactRecord,
    DeliveryRecord,
    DocumentRecord,
    EndpointRecord,
    JobRecord,
    KeyRecord,
    Record,
)
from docrefinery.store.sql import counters, first_schema, quotas, tenant_limits
from docrefinery.store.tables import TABLES, ApiKey, Artifact, Document, JobView, WebhookDelivery, WebhookEndpoint
from tests.support.counted import assert_counted
from tests.support.waiting import until_true

MIGRATIONS = sorted(Path(str(migrations.__file__)).parent.glob("*_2*.py"))
OLDER = "2026-11-26T01:10:00:000000"
TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "TEXT": "text",
    "UUID": "uuid",
    "JSONB": "jsonb",
    "BOOLEAN": "boolean",
    "BYTEA": "bytea",
    "TIMESTAMPTZ": "timestamp with time zone",
    "TEXT[]": "text[]",
    "INTEGER[]": "integer[]",
}


def described(column: Column) -> tuple[str, bool]:
    kind = f"{column.base_column.column_type}[]" if isinstance(column, Array) else column.column_type
    return TYPES[kind], column._meta.null


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table._meta.tablename)
async def test_table_is_as_the_migrated_database_has_it(db: Database, table: type[Table]) -> None:
    rows = await db.fetch(
        """SELECT attname, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS null FROM pg_attribute
           WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped""",
        table._meta.tablename,
    )
    ours = {column._meta.name: described(column) for column in table._meta.columns}
    assert {name: kind for name, (kind, _) in ours.items()} == {row["attname"]: row["type"] for row in rows}
    if table is not JobView:  # the columns of a view have no constraints
        assert {name: null for name, (_, null) in ours.items()} == {row["attname"]: row["null"] for row in rows}


async def test_view_of_jobs_may_be_null_where_jobs_may(db: Database) -> None:
    rows = await db.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'jobs'::regclass AND attnum > 0 AND NOT attnotnull"
    )
    ours = {column._meta.name for column in JobView._meta.columns if column._meta.null}
    assert ours == {row["attname"] for row in rows} & {column._meta.name for column in JobView._meta.columns}


@pytest.mark.parametrize(
    ("record", "table"), [(DocumentRecord, Document), (JobRecord, JobView), (ArtifactRecord, Artifact)]
)
def test_record_has_the_columns_of_its_table(record: type[Record], table: type[Table]) -> None:
    assert set(record.__struct_fields__) == {column._meta.name for column in table._meta.columns}


@pytest.mark.parametrize(
    ("record", "table", "kept"),
    [
        (EndpointRecord, WebhookEndpoint, {"secret", "failing_since"}),
        (
            DeliveryRecord,
            WebhookDelivery,
            {"tenant_id", "endpoint_id", "sequence", "body", "ordered", "attempts_before", "lease_token"},
        ),
    ],
)
def test_record_leaves_out_what_nobody_outside_needs(record: type[Record], table: type[Table], kept: set[str]) -> None:
    assert set(record.__struct_fields__) == {column._meta.name for column in table._meta.columns} - kept


def test_record_of_a_key_has_its_columns_and_what_its_tenant_is_held_to() -> None:
    own = {column._meta.name for column in ApiKey._meta.columns}
    more = {"tenant_uuid", "tenant_name", "tenant_options", "tenant_default_profile", "tenant_max_upload_mb"}
    more |= {
        "tenant_max_pages",
        "tenant_encrypt",
        "tenant_disabled_profiles",
        "tenant_requests_per_minute",
        "tenant_max_queued_jobs",
    }
    more |= {"tenant_max_pages_in_flight", "tenant_max_stored_mb"}
    assert set(KeyRecord.__struct_fields__) == own | more


def test_latest_is_the_newest_migration_and_no_two_share_an_id() -> None:
    ids = []
    for path in MIGRATIONS:
        line = next(line for line in path.read_text().splitlines() if line.startswith("ID = "))
        ids.append(line.removeprefix('ID = "').removesuffix('"'))
    assert max(ids) == schema.LATEST
    assert len(ids) == len(set(ids))


async def test_migrated_database_is_up_to_date(db: Database) -> None:
    assert await schema.up_to_date(db)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "DROP TABLE jobs",
        "ALTER TABLE jobs ADD COLUMN more text",
        "TRUNCATE jobs CASCADE",
        "CREATE SCHEMA mine",
        "DROP TRIGGER job_ticks ON jobs",
        "CREATE OR REPLACE FUNCTION job_tells() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "UPDATE migration SET name = 'another'",
    ],
)
async def test_application_reads_and_writes_rows_and_nothing_else(db: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.fetch(statement)


@pytest.fixture
async def empty_database(embedded: EmbeddedServices) -> AsyncIterator[str]:
    """URL, as its owner, of a database without tables."""
    owner = urlsplit(embedded.migration_database_url)
    admin = await asyncpg.connect(embedded.admin_database_url)
    await admin.execute(f'CREATE DATABASE fresh OWNER "{owner.username}"')
    yield owner._replace(path="/fresh").geturl()
    await admin.execute("DROP DATABASE fresh WITH (FORCE)")
    await admin.close()


async def test_migrators_at_once_take_turns(empty_database: str) -> None:
    ran = await asyncio.gather(*(migrate(empty_database, empty_database) for _ in range(3)))
    assert sorted(ran) == [0, 0, len(MIGRATIONS)]
    assert await migrate(empty_database, empty_database) == 0


async def test_database_without_tables_is_not_up_to_date(empty_database: str) -> None:
    fresh = Database(empty_database, pool_size=1)
    await fresh.start()
    assert not await schema.up_to_date(fresh)
    await migrate(empty_database, empty_database)
    # Which ends the connection that was used before, and may be doing so just now.
    assert await patiently(lambda: schema.up_to_date(fresh))
    await fresh.close()


async def older(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring a database to the schema that was there before row-level security."""
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "ForwardsMigrationManager", partial(ForwardsMigrationManager, migration_id=OLDER))
        await migrate(url, url)


async def waits_for_a_table(url: str) -> bool:
    watcher = await asyncpg.connect(url)
    try:
        sql = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND locktype = 'relation'"
        return bool(await watcher.fetch(sql))
    finally:
        await watcher.close()


@pytest.mark.parametrize(
    ("first", "then"), [("tenants", "jobs"), ("jobs", "tenant_clocks"), ("tenant_clocks", "tenants")]
)
async def test_migration_and_a_sweep_at_work_do_not_end_each_other(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, first: str, then: str
) -> None:
    await older(empty_database, monkeypatch)
    worker = await asyncpg.connect(empty_database)
    async with worker.transaction():
        await worker.execute(f"SELECT FROM {first}")
        task = asyncio.create_task(migrate(empty_database, empty_database))
        await until_true(lambda: waits_for_a_table(empty_database))
        await worker.execute(f"SELECT FROM {then}")
        # Both are in each other's way for longer than it takes the server to notice a circle.
        await worker.execute("SELECT pg_sleep(1.5)")
        assert not task.done()
    await worker.close()
    assert await task > 0


async def test_migration_that_gets_no_table_says_so_and_changes_nothing(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await older(empty_database, monkeypatch)
    monkeypatch.setattr(migrating, "PATIENCE_SECONDS", 0.1)
    worker = await asyncpg.connect(empty_database)
    before = await worker.fetch("SELECT name FROM migration")
    async with worker.transaction():
        await worker.execute("SELECT FROM workers")
        with pytest.raises(Busy, match=r"is as it was\. See in pg_stat_activity"):
            await migrate(empty_database, empty_database)
    assert await worker.fetch("SELECT name FROM migration") == before
    await worker.close()


@pytest.mark.parametrize(("attempt", "longer"), [(1, False), (4, False), (5, True), (10, True)])
def test_now_and_then_a_migration_waits_until_an_autovacuum_makes_way(attempt: int, longer: bool) -> None:
    deadlock_timeout_ms = 1000
    assert (patience_ms(attempt) > deadlock_timeout_ms) == longer


async def test_failed_migration_leaves_nothing(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        first = sys.modules["first_2026_11_23"]  # the name under which Piccolo imports it
        patch.setattr(first, "STATEMENTS", (*first.STATEMENTS, "CREATE TABLE jobs (id integer)"))
        with pytest.raises(asyncpg.DuplicateTableError):
            await migrate(empty_database, empty_database)
    assert await migrate(empty_database, empty_database) == len(MIGRATIONS)


async def test_an_installation_with_jobs_is_counted_when_it_is_brought_up_to_date(empty_database: str) -> None:
    older = await asyncpg.connect(empty_database)
    for statement in first_schema.STATEMENTS:
        await older.execute(statement)
    await older.execute(
        """INSERT INTO tenants (name) VALUES ('acme'), ('idle');
           INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key)
           SELECT gen_random_uuid(), id, 'a.pdf', repeat('0', 64), 7, 'a' FROM tenants WHERE name = 'acme';
           INSERT INTO jobs (tenant_id, document_id, status)
           SELECT tenant_id, id, unnest(ARRAY['RUNNING', 'QUEUED']) FROM documents;
           INSERT INTO jobs (tenant_id, document_id, status, scan_ms, finished_at, pages_done)
           SELECT tenant_id, id, 'SUCCEEDED', 11, now(), 3 FROM documents"""
    )
    for statement in (*tenant_limits.STATEMENTS, *counters.STATEMENTS, *quotas.STATEMENTS):
        await older.execute(statement)
    await older.close()
    upgraded = Database(empty_database, pool_size=1)
    await upgraded.start()
    await assert_counted(upgraded)
    [stage] = await upgraded.fetch("SELECT stage, bucket, n, total_ms FROM tenant_stage_times")
    assert tuple(stage.values()) == ("scan", 1, 1, 11)
    volumes = await upgraded.fetch("SELECT documents, bytes_received, pages_converted FROM tenant_volumes ORDER BY 1")
    assert [tuple(row.values()) for row in volumes] == [(0, 0, 0), (1, 7, 3)]
    await upgraded.close()
