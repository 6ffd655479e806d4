"""Named queries over idempotency records. All of them belong into the transaction of the request they are about."""

from datetime import timedelta

from msgspec import Raw

from docrefinery.store.database import Database
from docrefinery.store.records import Record

KEPT = timedelta(hours=24)


class IdempotencyRecord(Record, frozen=True, kw_only=True):
    """What a request with an idempotency key came to."""

    fingerprint: bytes
    outcome: Raw


async def try_lock(db: Database, tenant_id: int, key: str) -> bool:
    """Lock a key until the transaction ends; false if another request holds it."""
    row = await db.fetch_one(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1)) AS locked", tenant_id, f"idempotency {key}"
    )
    assert row is not None
    return bool(row["locked"])


async def get(db: Database, tenant_id: int, key: str) -> IdempotencyRecord | None:
    """Return what is known of a key that has not expired."""
    row = await db.fetch_one(
        "SELECT * FROM idempotency_records WHERE tenant_id = $1 AND key = $2 AND created_at > now() - $3::interval",
        tenant_id,
        key,
        KEPT,
    )
    return IdempotencyRecord.of(row) if row else None


async def put(db: Database, tenant_id: int, key: str, *, fingerprint: bytes, outcome: str) -> None:
    """Remember an outcome, in place of an expired one."""
    await db.fetch(
        """INSERT INTO idempotency_records (tenant_id, key, fingerprint, outcome) VALUES ($1, $2, $3, $4)
           ON CONFLICT (tenant_id, key) DO UPDATE
               SET fingerprint = excluded.fingerprint, outcome = excluded.outcome, created_at = now()""",
        tenant_id,
        key,
        fingerprint,
        outcome,
    )


async def remove_expired(db: Database) -> None:
    """Forget what is too old to be replayed."""
    await db.fetch("DELETE FROM idempotency_records WHERE created_at <= now() - $1::interval", KEPT)
