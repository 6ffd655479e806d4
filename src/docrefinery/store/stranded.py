"""Jobs in a queue that no worker looks into any more."""

from docrefinery.store.database import Database

AT_ONCE = 500
"""Jobs of a tenant that are moved by one statement: each of them locks the tenant's clock until it is committed."""
_NOBODY = "NOT EXISTS (SELECT FROM models_seen WHERE seen_at >= now() - make_interval(secs => $2))"
# As in a claim, in the order of `jobs_claim`.
TENANTS = f"""
SELECT t.id FROM tenants t WHERE {_NOBODY} AND (
    SELECT q.id FROM jobs q WHERE q.tenant_id = t.id AND q.queue = $1 AND q.status = 'QUEUED'
    ORDER BY q.queued_at, q.id LIMIT 1) IS NOT NULL
ORDER BY t.id
"""
# What somebody else has locked is being canceled or moved; to wait for it with the tenant's clock in hand could be to
# wait in a circle.
MOVE = f"""
WITH stranded AS MATERIALIZED (
    SELECT q.id FROM jobs q WHERE q.tenant_id = $4 AND q.queue = $1 AND q.status = 'QUEUED' AND {_NOBODY}
    ORDER BY q.queued_at, q.id LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED)
UPDATE jobs SET queue = $3 FROM stranded WHERE jobs.id = stranded.id RETURNING jobs.id
"""


async def move(db: Database, queue: str, to: str, wait_seconds: float) -> int:
    """Move queued jobs to another queue if no worker that holds or loads models has been heard of for so long.

    Of very many jobs of a tenant some stay, for the next call.

    :returns: how many were moved.
    """
    moved = 0
    for tenant in await db.fetch(TENANTS, queue, wait_seconds):
        moved += len(await db.fetch(MOVE, queue, wait_seconds, to, tenant["id"]))
    return moved
