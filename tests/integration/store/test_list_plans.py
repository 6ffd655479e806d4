"""What lists cost a tenant with many rows: each filter seeks its page in an index and walks past next to nothing."""

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from docrefinery.settings import Settings
from docrefinery.store import artifacts, deliveries, documents, jobs, tenants, wall
from docrefinery.store.artifacts import ArtifactFilters
from docrefinery.store.database import Database
from docrefinery.store.documents import DocumentFilters
from docrefinery.store.engine import WalledEngine
from docrefinery.store.jobs import JobFilters
from docrefinery.store.paging import Page, PageRequest
from docrefinery.store.sql.counters import RECOUNT

ROWS, FEW = 20_000, 120
WALKED_PAST = 300
"""Rows that a list may read and not show; a walk to what is rare here would pass thousands."""
START = datetime(2026, 1, 1, tzinfo=UTC)
RARE = UUID("00000000-0000-4000-8000-000000000001")
TABLES = ("documents", "jobs", "artifacts", "webhook_deliveries")
# A minute between one and the next. Everything that is rare is old, where a list that walks comes to last.
FILL = f"""
INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key, status, created_at, deleted_at,
                       external_uuid)
SELECT gen_random_uuid(), $1, 'a.pdf', lpad(to_hex(n), 64, '0'), 10, format('%s/%s', $1::bigint, n),
       CASE WHEN n < 10 THEN 'FAILED' ELSE 'READY' END, $2::timestamptz + n * interval '1 minute',
       CASE WHEN n > 15000 THEN now() END, CASE WHEN n = 5 THEN '{RARE}'::uuid ELSE gen_random_uuid() END
FROM generate_series(1, {ROWS}) n;
INSERT INTO jobs (tenant_id, document_id, status, stage, profile, error_code, finished_at, created_at, modified_at,
                  external_uuid, modified_octave)
SELECT $1, id, CASE WHEN n < 10 THEN 'FAILED' ELSE 'SUCCEEDED' END,
       CASE WHEN n < 10 THEN 'CONVERTING' ELSE 'FINALIZING' END,
       CASE WHEN n < 20 THEN 'rare' WHEN n % 2 = 0 THEN 'common' END, CASE WHEN n < 10 THEN 'X' ELSE '' END, now(),
       created_at, $2::timestamptz + (2 * {ROWS} - n) * interval '1 minute', external_uuid,
       octave_of((2 * {ROWS} - 2 * n) * interval '1 minute')
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM documents WHERE tenant_id = $1) d ORDER BY n;
INSERT INTO artifacts (tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256, blob_key)
SELECT tenant_id, id, document_id, CASE profile WHEN 'rare' THEN 'rare' ELSE 'text' END, 'a.txt', 'text/plain', 5,
       repeat('0', 64), 'a' || id FROM jobs WHERE tenant_id = $1 ORDER BY id;
INSERT INTO webhook_endpoints (tenant_id, name, url, events) VALUES ($1, 'a', 'https://example.com/', '{{}}');
INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event, body, ordered, status, next_attempt_at, delivered_at)
SELECT $1, e.id, 'ping', '{{}}', false, CASE WHEN n < 10 THEN 'FAILED' ELSE 'DELIVERED' END, NULL,
       CASE WHEN n >= 10 THEN now() END
FROM webhook_endpoints e, generate_series(1, {ROWS}) n WHERE e.tenant_id = $1
"""
Query = Callable[[int, PageRequest], Coroutine[Any, Any, Page[Any]]]


def minute(n: int) -> datetime:
    return START + n * timedelta(minutes=1)


def of_jobs(**filters: Any) -> Query:
    return lambda tenant, request: jobs.page(tenant, JobFilters(**filters), request)


def of_documents(**filters: Any) -> Query:
    return lambda tenant, request: documents.page(tenant, DocumentFilters(**filters), request)


def of_artifacts(**filters: Any) -> Query:
    return lambda tenant, request: artifacts.page(tenant, ArtifactFilters(**filters), request)


LISTS: dict[str, Query] = {
    "jobs": of_jobs(),
    "jobs by a common status": of_jobs(status=("SUCCEEDED",)),
    "jobs by a rare status": of_jobs(status=("FAILED",)),
    "jobs by a status that none has": of_jobs(status=("QUARANTINED", "CANCELED")),
    "jobs by several statuses": of_jobs(status=("FAILED", "SUCCEEDED")),
    "jobs by a rare stage": of_jobs(stage=("CONVERTING",)),
    "jobs by a rare profile": of_jobs(profile=("rare",)),
    "jobs by a common profile": of_jobs(profile=("common",)),
    "jobs by two things that are common, but not together": of_jobs(status=("SUCCEEDED",), stage=("CONVERTING",)),
    "jobs of long ago": of_jobs(created_before=minute(2000)),
    "jobs of a time": of_jobs(created_after=minute(5000), created_before=minute(6000)),
    "jobs of long ago by status": of_jobs(created_before=minute(5000), status=("FAILED",)),
    "jobs in the order of change": of_jobs(updated_after=minute(ROWS + 100)),
    "jobs of a rare status in the order of change": of_jobs(updated_after=minute(ROWS), status=("FAILED",)),
    "jobs of long ago in the order of change": of_jobs(updated_after=minute(ROWS), created_before=minute(1000)),
    "jobs of late in the order of change": of_jobs(updated_after=minute(0), created_after=minute(ROWS - 20)),
    "jobs of a document": of_jobs(document_id=RARE, status=("FAILED",)),
    "jobs by external uuid": of_jobs(external_uuid=RARE),
    "jobs by external uuid in the order of change": of_jobs(external_uuid=RARE, updated_after=minute(ROWS)),
    "documents, of which the newest are deleted": of_documents(),
    "documents by a rare status": of_documents(status=("FAILED",)),
    "documents by hash": of_documents(sha256=("0" * 63 + "3", "0" * 63 + "9")),
    "documents by external uuid": of_documents(external_uuid=RARE),
    "documents of a time": of_documents(created_after=minute(3000), created_before=minute(4000)),
    "artifacts": of_artifacts(),
    "artifacts by a rare kind": of_artifacts(kind=("rare", "none")),
    "artifacts of a document by kind": of_artifacts(document_id=RARE, kind=("text",)),
}


def walked_past(plan: dict[str, Any]) -> float:
    """Return how many rows of the tables a plan read and dropped."""
    own = 0.0
    if plan.get("Relation Name") in TABLES:
        own = (plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)) * plan[
            "Actual Loops"
        ]
    return own + sum(walked_past(part) for part in plan.get("Plans", []))


def sorted_rows(plan: dict[str, Any]) -> float:
    """Return the most rows that a sort of a plan was given."""
    own = plan["Plans"][0]["Actual Rows"] if plan["Node Type"] == "Sort" else 0.0
    return max([own, *(sorted_rows(part) for part in plan.get("Plans", []))])


def touched(plan: dict[str, Any]) -> int:
    """Return how many blocks a plan looked at."""
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def literal(value: Any) -> str:
    """Return a parameter as it is written."""
    match value:
        case list():
            kind = {int: "integer", datetime: "timestamptz"}.get(type(next(iter(value), "")), "text")
            return f"ARRAY[{', '.join(map(literal, value))}]::{kind}[]"
        case datetime():
            return f"timestamptz '{value.isoformat()}'"
        case int():
            return str(value)
        case _:
            return f"'{value}'"


class Explained:
    """Runs lists behind the walls, and has PostgreSQL say how it found their rows."""

    def __init__(self, tenants: Sequence[int], connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.tenants = tenants
        self.tenant_id = 0
        self._connection = connection

    async def hold_to(self, tenant_id: int) -> None:
        """Go on as this tenant."""
        self.tenant_id = tenant_id
        wall.hold_to(tenant_id)
        await self._connection.execute(f"SET docrefinery.tenant = '{tenant_id}'")

    async def plans(
        self, query: Query, request: PageRequest, monkeypatch: pytest.MonkeyPatch
    ) -> dict[str, dict[str, Any]]:
        """Return how a list's statement is run for its values, and how for any, which PostgreSQL may come to do."""
        ran: list[tuple[str, Sequence[Any]]] = []
        original = WalledEngine.run

        async def noting(engine: WalledEngine, sql: str, *args: object) -> Any:
            ran.append((sql, args))
            return await original(engine, sql, *args)

        with monkeypatch.context() as patch:
            patch.setattr(WalledEngine, "run", noting)
            await query(self.tenant_id, request)
        [(sql, args)] = ran
        found: dict[str, dict[str, Any]] = {}
        values = f"({', '.join(literal(value) for value in args)})"
        await self._connection.execute(f"PREPARE list AS {sql}")
        for mode in ("force_custom_plan", "force_generic_plan"):
            await self._connection.execute(f"SET plan_cache_mode = {mode}")
            explained = await self._connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE list {values}"
            )
            found[mode] = json.loads(explained)[0]["Plan"]
        await self._connection.execute("DEALLOCATE list")
        return found


async def fill(owner: "asyncpg.Connection[asyncpg.Record]", tenant_id: int, rows: int) -> None:
    async with owner.transaction():
        for table in TABLES:
            await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in FILL.replace(str(ROWS), str(rows)).split(";"):
            await owner.execute(statement, *((tenant_id, START)[: 2 if "$2" in statement else 1]))
        for table in TABLES:
            await owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        await owner.execute(";".join(RECOUNT))
    await owner.execute(f"ANALYZE {', '.join(TABLES)}, tenant_job_counts")


@pytest.fixture
async def explained(settings: Settings) -> AsyncIterator[Explained]:
    """A tenant with many rows of each kind."""
    walled = Database(settings.database_url, pool_size=2, walled=True)
    await walled.start()
    with wall.across_tenants():
        tenant = await tenants.create_tenant(walled, "acme")
        small = await tenants.create_tenant(walled, "small")
    assert tenant is not None
    assert small is not None
    owner = await asyncpg.connect(settings.migration_database_url)
    # The small one first: by their numbers, all of the other's rows come before its newest.
    await fill(owner, small.id, FEW)
    await fill(owner, tenant.id, ROWS)
    await owner.execute(
        f"UPDATE documents SET uuid = '{RARE}' WHERE id = (SELECT min(id) FROM documents WHERE tenant_id = $1)",
        tenant.id,
    )
    application = await asyncpg.connect(settings.database_url)
    yield Explained((tenant.id, small.id), application)
    for connection in (owner, application):
        await connection.close()
    await walled.close()


async def test_every_filter_seeks_in_an_index_whether_a_tenant_has_many_rows_or_few(
    explained: Explained, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant_id in explained.tenants:
        await explained.hold_to(tenant_id)
        endpoint = await deliveries_endpoint(explained)
        lists = LISTS | {
            "deliveries": lambda tenant, request, e=endpoint: deliveries.page(tenant, e, None, request),
            "deliveries that failed": lambda tenant, request, e=endpoint: deliveries.page(
                tenant, e, ("FAILED",), request
            ),
        }
        for name, query in lists.items():
            await assert_sought(explained, name, query, monkeypatch)
    await explained.hold_to(explained.tenants[0])
    since = minute(ROWS)
    for filters, created in (
        (JobFilters(updated_after=since, created_after=minute(ROWS - 2)), [ROWS, ROWS - 1, ROWS - 2]),
        (JobFilters(updated_after=since, created_before=minute(3)), [3, 2, 1]),
        (JobFilters(updated_after=since, created_after=minute(50), created_before=minute(52)), [52, 51, 50]),
    ):
        page = await jobs.page(explained.tenant_id, filters, PageRequest())
        assert [job.created_at for job in page.items] == list(map(minute, created))


CHANGED = f"""
UPDATE jobs SET modified_at = CASE
    WHEN id % 1000 = 7 THEN timestamptz '{minute(ROWS + 100)}'
    ELSE created_at + CASE WHEN id % 4 = 0 THEN interval '7 days' ELSE interval '30 seconds' END END
WHERE tenant_id = $1;
UPDATE jobs SET modified_octave = octave_of(modified_at - created_at) WHERE tenant_id = $1
"""
"""Most jobs have changed at once or a week after their creation, and one in 1,000 at the very end."""
MOST_BLOCKS = 500
"""Those of the way to each octave and each row; all that has changed since is in more."""
BY_BOTH: list[dict[str, Any]] = [
    {"updated_after": minute(11_000), "created_before": minute(500)},
    {"updated_after": minute(9000), "created_before": minute(9000)},
    {"updated_after": minute(9000), "created_before": minute(9000), "status": ("SUCCEEDED",)},
    {"updated_after": minute(9000), "created_after": minute(5000), "created_before": minute(5060)},
    {"updated_after": minute(19_000), "created_after": minute(100), "created_before": minute(1100)},
]


async def test_what_was_created_at_one_time_and_changed_at_another_is_sought_by_both(
    explained: Explained, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await asyncpg.connect(settings.migration_database_url)
    await owner.execute("ALTER TABLE jobs DISABLE TRIGGER USER")
    for tenant_id in explained.tenants:
        for statement in CHANGED.split(";"):
            await owner.execute(statement, tenant_id)
    await owner.execute("ALTER TABLE jobs ENABLE TRIGGER USER")
    await owner.execute("VACUUM ANALYZE jobs")
    await owner.close()
    for tenant_id in explained.tenants:
        await explained.hold_to(tenant_id)
        for filters in BY_BOTH:
            await assert_sought(explained, f"jobs by {filters}", of_jobs(**filters), monkeypatch, MOST_BLOCKS)


async def assert_sought(
    explained: Explained, name: str, query: Query, monkeypatch: pytest.MonkeyPatch, most_blocks: int = 2**31
) -> None:
    request = PageRequest(size=50)
    for place in ("the first page", "a page behind it"):
        for mode, plan in (await explained.plans(query, request, monkeypatch)).items():
            told = f"{name} of tenant {explained.tenant_id}, {place}, {mode}: {plan}"
            assert walked_past(plan) <= WALKED_PAST, told
            assert sorted_rows(plan) <= 2000, told
            assert touched(plan) <= most_blocks, told
        page = await query(explained.tenant_id, request)
        if page.next is None:
            return
        request = PageRequest(size=50, cursor=page.next)


async def deliveries_endpoint(explained: Explained) -> int:
    found: int = await explained._connection.fetchval(
        "SELECT id FROM webhook_endpoints WHERE tenant_id = $1", explained.tenant_id
    )
    return found
