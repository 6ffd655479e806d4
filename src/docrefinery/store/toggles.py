"""Named queries over the profiles that are switched off for a tenant."""

from docrefinery.store.database import Database


async def disabled(db: Database, tenant_id: int) -> list[str]:
    """Return the names of a tenant's disabled profiles, installed or not."""
    rows = await db.fetch("SELECT profile FROM disabled_profiles WHERE tenant_id = $1 ORDER BY profile", tenant_id)
    return [row["profile"] for row in rows]


async def disable(db: Database, tenant_id: int, profile: str) -> None:
    """Switch a profile off; a second time changes nothing."""
    await db.fetch(
        "INSERT INTO disabled_profiles (tenant_id, profile) VALUES ($1, $2) ON CONFLICT DO NOTHING", tenant_id, profile
    )


async def enable(db: Database, tenant_id: int, profile: str) -> bool:
    """Switch a profile on again; false if it was not off."""
    rows = await db.fetch(
        "DELETE FROM disabled_profiles WHERE tenant_id = $1 AND profile = $2 RETURNING profile", tenant_id, profile
    )
    return bool(rows)
