"""Many rows at once: written without triggers, then counted as a migration counts what is there."""

import asyncpg

from docrefinery.settings import Settings

DOCUMENTS = """
INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key)
SELECT gen_random_uuid(), $1, 'bulk.pdf', encode(sha256(format('%s/%s', $1::bigint, n)::bytea), 'hex'), 1000,
       format('%s/bulk/%s', $1::bigint, n)
FROM generate_series(1, $2::integer) n
"""
QUEUED = """
INSERT INTO jobs (tenant_id, document_id, options)
SELECT tenant_id, id, '{"document_timeout": 600}' FROM documents WHERE tenant_id = $1
"""


async def queue_in_bulk(settings: Settings, tenant_id: int, jobs: int) -> None:
    """Queue many jobs of a tenant without documents."""
    connection = await asyncpg.connect(settings.migration_database_url)
    try:
        async with connection.transaction():
            await connection.execute("ALTER TABLE jobs DISABLE TRIGGER USER")
            await connection.execute(DOCUMENTS, tenant_id, jobs)
            await connection.execute(QUEUED, tenant_id)
            await connection.execute("ALTER TABLE jobs ENABLE TRIGGER USER")
    finally:
        await connection.close()
