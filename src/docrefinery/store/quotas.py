"""Named queries over what tenants have in flight and stored, from counters that triggers keep."""

from msgspec import Struct

from docrefinery.store.database import Database


class InFlight(Struct, frozen=True):
    """A tenant's queued jobs, and the pages of its queued and running ones as far as they are known."""

    queued_jobs: int
    pages: int


async def in_flight(db: Database, tenant_id: int) -> InFlight:
    """Return what a tenant has in flight.

    After a change of a job, and before its commit, nobody else changes it: the tenant's clock is held.
    """
    row = await db.fetch_one(
        """SELECT (SELECT coalesce(sum(n), 0) FROM tenant_job_counts
                   WHERE tenant_id = $1 AND status = 'QUEUED')::bigint AS queued_jobs,
                  (c.queued_pages + (
                      SELECT coalesce(sum(running.pages), 0) FROM (
                          SELECT coalesce(sum(l.pages_total), j.pages_expected) AS pages
                          FROM jobs j LEFT JOIN leases l ON l.job_id = j.id
                          WHERE j.tenant_id = $1 AND j.status = 'RUNNING' GROUP BY j.id) running))::bigint AS pages
           FROM tenant_clocks c WHERE c.tenant_id = $1""",
        tenant_id,
    )
    assert row is not None
    return InFlight(row["queued_jobs"], row["pages"])


async def stored_bytes(db: Database, tenant_id: int, *, lock: bool = False) -> int:
    """Return the bytes of a tenant's files and artifacts.

    :param lock: keep them as they are until the transaction ends; as everybody locks them, after everything else.
    """
    row = await db.fetch_one(
        "SELECT document_bytes + artifact_bytes AS bytes FROM tenant_volumes WHERE tenant_id = $1"
        + (" FOR UPDATE" if lock else ""),
        tenant_id,
    )
    assert row is not None
    return int(row["bytes"])


async def queue_depth(db: Database) -> int:
    """Return the queued jobs of all tenants."""
    row = await db.fetch_one("SELECT coalesce(sum(n), 0) AS n FROM tenant_job_counts WHERE status = 'QUEUED'")
    assert row is not None
    return int(row["n"])
