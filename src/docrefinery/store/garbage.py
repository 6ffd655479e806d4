"""Named queries over blobs that no row refers to (yet): noted before they are written, so that none is forgotten."""

from collections.abc import Sequence
from datetime import timedelta

from docrefinery.store.database import Database


async def note(db: Database, prefix: str, *, removable_in: timedelta) -> None:
    """Note that blobs under ``prefix`` are garbage from then on unless :func:`forget` is called."""
    await db.fetch(
        """INSERT INTO unreferenced_blobs VALUES ($1, now() + $2)
           ON CONFLICT (prefix) DO UPDATE SET removable_at = excluded.removable_at""",
        prefix,
        removable_in,
    )


def encrypted_copy(blob_key: str, name: str) -> str:
    """Return the key of a plain blob's encrypted copy, which tells the plain one's."""
    tenant, rest = blob_key.split("/", 1)
    return f"{tenant}/encrypted/{rest}/{name}"


def noted(gone: str) -> str:
    """Return the statement that notes every ``blob_key`` of a query, and the plain blob that it is a copy of."""
    return f"""INSERT INTO unreferenced_blobs
        SELECT DISTINCT k, now() FROM {gone}
            CROSS JOIN unnest(ARRAY[blob_key, regexp_replace(blob_key, '^([^/]+)/encrypted/(.+)/[^/]+$', '\\1/\\2')]) k
        ON CONFLICT (prefix) DO UPDATE
            SET removable_at = least(unreferenced_blobs.removable_at, excluded.removable_at)"""


async def note_all(db: Database, keys: Sequence[str]) -> None:
    """Note blobs that were referred to and are garbage now, with their plain copies that were still read."""
    await db.fetch(noted("unnest($1::text[]) gone (blob_key)"), list(keys))


async def forget(db: Database, prefix: str) -> bool:
    """Take a note back: a row refers to the blobs now, or they are gone. False if it was not there any more."""
    return bool(await db.fetch("DELETE FROM unreferenced_blobs WHERE prefix = $1 RETURNING prefix", prefix))


async def removable(db: Database, limit: int) -> list[str]:
    """Return prefixes whose blobs may be removed."""
    rows = await db.fetch(
        "SELECT prefix FROM unreferenced_blobs WHERE removable_at <= now() ORDER BY removable_at LIMIT $1", limit
    )
    return [row["prefix"] for row in rows]


async def hold(db: Database, prefix: str, *, due: bool = False) -> bool:
    """Keep a note from being taken back until the transaction ends; false if it was.

    :param due: false also if it is not due yet, or somebody else holds it: the sweep does not wait.

    Who removes blobs asks first: the commit that refers to them may have succeeded though its answer got lost.
    """
    which = "prefix = $1 AND removable_at <= now() FOR UPDATE SKIP LOCKED" if due else "prefix = $1 FOR UPDATE"
    return bool(await db.fetch(f"SELECT prefix FROM unreferenced_blobs WHERE {which}", prefix))


async def put_off(db: Database, prefix: str, delay: timedelta) -> None:
    """Try to remove blobs later."""
    await db.fetch("UPDATE unreferenced_blobs SET removable_at = now() + $2 WHERE prefix = $1", prefix, delay)
