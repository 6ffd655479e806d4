"""Counters of the whole installation that only rise; what jobs and documents count is kept by triggers instead."""

from enum import StrEnum

from docrefinery.store.database import Database


class Counted(StrEnum):
    """What is counted; the value is the name that ``/metrics`` builds on, and each may have labels of its own."""

    WEBHOOK_DELIVERIES = "webhook_deliveries"
    JOBS_RECOVERED = "jobs_recovered"
    JOBS_PUT_OFF = "jobs_put_off"
    JOBS_FAILED = "jobs_failed"
    CONVERTERS_REPLACED = "converters_replaced"


async def add(db: Database, name: Counted, label: str = "", n: int = 1) -> None:
    """Count, in the transaction that is open if there is one; then make it the transaction's last statement.

    Connections count in rows of their own as far as there are some, so the same thing can be counted by many
    transactions at once, and being last, none waits for another that waits for it.
    """
    await db.fetch(
        """INSERT INTO counters AS c (name, label, shard, n) VALUES ($1, $2, pg_backend_pid() % 16, $3)
           ON CONFLICT (name, label, shard) DO UPDATE SET n = c.n + excluded.n""",
        name,
        label,
        n,
    )


async def forget_minutes(db: Database) -> None:
    """Remove the counts of minutes that no summary shows any more."""
    await db.fetch("DELETE FROM tenant_finished_minutes WHERE minute < now() - interval '25 hours'")
