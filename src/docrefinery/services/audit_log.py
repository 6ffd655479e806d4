"""The audit log as the operator reads it, and prunes it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from docrefinery.services.audit import acting
from docrefinery.store import audit
from docrefinery.store.audit import Entry, Filters
from docrefinery.store.database import Database

FOLLOW_SECONDS = 0.5
AT_ONCE = 500


class AuditLog:
    """What happened, for the operator alone: tenants have no way to it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def newest(self, filters: Filters, limit: int) -> list[Entry]:
        """Return the newest entries, oldest of them first."""
        return await audit.newest(self._db, filters, limit)

    async def follow(self, filters: Filters, limit: int) -> AsyncIterator[Entry]:
        """Yield the newest entries, then new ones as they come, for ever; none is missed.

        An entry waits for transactions that were open when it was written.
        """
        place = await audit.settled(self._db)
        for entry in await self.newest(filters, limit):
            if (entry.xid, entry.id) <= place:
                yield entry
        while True:
            entries = await audit.after(self._db, filters, place, AT_ONCE)
            for entry in entries:
                place = entry.xid, entry.id
                yield entry
            if len(entries) < AT_ONCE:
                await asyncio.sleep(FOLLOW_SECONDS)

    async def prune(self, days: int) -> int:
        """Remove entries that are older; returns how many. Only the schema's owner may, and the database notes it."""
        return await audit.prune(self._db, timedelta(days=days), acting().name)
