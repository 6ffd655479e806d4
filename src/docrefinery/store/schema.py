"""Which schema this code needs, and which one the database has."""

import asyncpg

from docrefinery.store.database import Database

APP = "docrefinery"
LATEST = "2026-11-27T12:00:00:000000"
"""Id of the newest migration; a test holds it to the folder."""


async def up_to_date(db: Database) -> bool:
    """Return whether every migration has run; raises what the driver raises if the server is away."""
    try:
        row = await db.fetch_one("SELECT max(name) AS name FROM migration WHERE app_name = $1", APP)
    except asyncpg.UndefinedTableError:
        return False
    return row is not None and row["name"] == LATEST
