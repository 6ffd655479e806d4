"""Time that has gone by, for what goes by the database's clock: everything is moved into the past."""

import asyncpg

from docrefinery.store.database import Database

MOVE = (
    "UPDATE artifacts SET created_at = created_at - make_interval(hours => $1)",
    "UPDATE jobs SET finished_at = finished_at - make_interval(hours => $1) WHERE finished_at IS NOT NULL",
    *(
        f"UPDATE expired_{kind} SET expired_at = expired_at - make_interval(hours => $1)"
        for kind in ("documents", "jobs", "artifacts")
    ),
    "UPDATE documents SET modified_at = modified_at - make_interval(hours => $1)",
)


async def age(db: Database, hours: int) -> None:
    """Let so many hours go by for all artifacts, finished jobs and documents; fewer than none set the clock back."""
    for statement in MOVE:
        await db.fetch(statement, hours)


async def age_audit(owner_url: str, days: dict[str, int]) -> None:
    """Let entries of the audit log be so many days old, by their objects: as an owner who takes its triggers away."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        await connection.executemany(
            "UPDATE audit_log SET happened_at = happened_at - make_interval(days => $2) WHERE object = $1",
            list(days.items()),
        )
        await connection.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")
    finally:
        await connection.close()
