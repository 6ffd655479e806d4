"""What a sweep costs that finds nothing to do."""

import json
from typing import Any

import asyncpg
import pytest

from docrefinery.settings import Settings
from docrefinery.store import retention, tenants
from docrefinery.store.database import Database
from docrefinery.store.tenants import Keep

NOT_DUE = 20_000
FILL = """
INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key)
SELECT gen_random_uuid(), $1, 'a.pdf', lpad(to_hex(n), 64, '0'), 10, 'd' || n FROM generate_series(1, $2::integer) n;
INSERT INTO jobs (tenant_id, document_id, status, finished_at) SELECT tenant_id, id, 'SUCCEEDED', now() FROM documents;
INSERT INTO artifacts (tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256, blob_key)
SELECT tenant_id, id, document_id, 'text', 'a.txt', 'text/plain', 5, repeat('0', 64), 'a' || id FROM jobs
"""


def _scans(plan: dict[str, Any]) -> set[str]:
    own = {plan["Node Type"]} if plan.get("Relation Name") in ("documents", "jobs", "artifacts") else set()
    return own.union(*(_scans(part) for part in plan.get("Plans", [])))


async def test_a_sweep_over_what_is_not_due_seeks_in_indexes(db: Database, settings: Settings) -> None:
    made = [await tenants.create_tenant(db, name) for name in ("acme", "idle")]
    for tenant in made:
        assert tenant is not None
        await tenants.set_tenant(db, tenant.id, keep=Keep(files_hours=1, artifacts_hours=1, jobs_hours=1))
    owner = await asyncpg.connect(settings.migration_database_url)
    try:
        for table in ("documents", "jobs", "artifacts"):
            await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        assert made[0] is not None
        for statement in FILL.split(";"):
            await owner.execute(statement, *((made[0].id, NOT_DUE) if "$1" in statement else ()))
        for table in ("documents", "jobs", "artifacts"):
            await owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        await owner.execute("ANALYZE documents, jobs, artifacts, tenants")
        for query in (retention.JOBS_DUE, retention.ARTIFACTS_DUE, retention.FILES_DUE):
            for default in (0, 24):
                explained = await owner.fetchval("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query, default)
                [found] = json.loads(explained)
                assert _scans(found["Plan"]) <= {"Index Scan", "Index Only Scan"}, explained
                plan = found["Plan"]
                assert plan["Actual Rows"] == 0
                assert int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"]) < 50, explained
    finally:
        await owner.close()


@pytest.mark.parametrize("expire", [retention.expire_jobs, retention.expire_artifacts, retention.expire_files])
async def test_nothing_to_remove_is_no_error(db: Database, expire: Any) -> None:
    tenant = await tenants.create_tenant(db, "acme")
    assert tenant is not None
    assert await expire(db, retention.Due(tenant.id, 1)) == 0
