"""Named queries over the database's clock, and over the leases that a jump of it would end."""

from datetime import datetime, timedelta

from docrefinery.store.database import Database


async def now(db: Database) -> datetime:
    """Return what time it is for the database."""
    row = await db.fetch_one("SELECT clock_timestamp() AS now")
    assert row is not None
    moment: datetime = row["now"]
    return moment


async def begin_leases_anew(db: Database, lease: timedelta) -> int:
    """Let every lease of a job, and of pages, end one lease's length from now; returns how many jobs that were.

    Those that somebody holds are passed over: they are being extended, or their job is ending.
    """
    await db.fetch(
        """UPDATE slices s SET expires_at = now() + $1
           FROM (SELECT job_id, first_page FROM slices WHERE token IS NOT NULL FOR UPDATE SKIP LOCKED) held
           WHERE s.job_id = held.job_id AND s.first_page = held.first_page""",
        lease,
    )
    return len(
        await db.fetch(
            """UPDATE leases l SET expires_at = now() + $1
               FROM (SELECT job_id, first_page FROM leases ORDER BY job_id, first_page FOR UPDATE SKIP LOCKED) held
               WHERE l.job_id = held.job_id AND l.first_page = held.first_page RETURNING l.job_id""",
            lease,
        )
    )
