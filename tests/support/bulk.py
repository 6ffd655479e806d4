"""Many rows at once: written with the triggers off, then counted as the migration counts what is there."""

from collections.abc import Sequence

import asyncpg

from docrefinery.settings import Settings
from docrefinery.store.sql.counters import RECOUNT

DOCUMENTS = """
INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key)
SELECT gen_random_uuid(), $1, 'bulk.pdf', encode(sha256(format('%s/%s', $1::bigint, n)::bytea), 'hex'), 1000,
       format('%s/bulk/%s', $1::bigint, n)
FROM generate_series(1, $2::integer) n
"""
JOBS = """
INSERT INTO jobs (tenant_id, document_id, options, queue)
SELECT tenant_id, id, '{"document_timeout": 600}', ($2::text[])[1 + id % cardinality($2)] FROM documents
WHERE tenant_id = $1 ORDER BY id
"""


async def queue_in_bulk(settings: Settings, tenant_id: int, jobs: int, queues: Sequence[str] = ("convert",)) -> None:
    """Queue many jobs of a tenant that has no documents yet, in these queues by turns."""
    connection = await asyncpg.connect(settings.migration_database_url)
    try:
        async with connection.transaction():
            await connection.execute(
                "ALTER TABLE jobs DISABLE TRIGGER USER; ALTER TABLE documents DISABLE TRIGGER USER"
            )
            await connection.execute(DOCUMENTS, tenant_id, jobs)
            await connection.execute(JOBS, tenant_id, list(queues))
            await connection.execute("ALTER TABLE jobs ENABLE TRIGGER USER; ALTER TABLE documents ENABLE TRIGGER USER")
            await connection.execute(";".join(RECOUNT))
    finally:
        await connection.close()
