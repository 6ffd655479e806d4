"""What a tenant may have queued, in flight and stored: its own numbers, or else the installation's."""

from collections.abc import Mapping
from typing import Any

from docrefinery.errors import QuotaExceeded
from docrefinery.services.keys import Caller
from docrefinery.services.limits import quota
from docrefinery.settings import Settings
from docrefinery.store import quotas
from docrefinery.store.database import Database

RETRY_AFTER = 10
"""Seconds in which some job is likely to have ended."""
_MEBI = 1024 * 1024


def pages_expected(page_count: int | None, options: Mapping[str, Any]) -> int:
    """Return how many pages a job counts for: those that it asks for, or 1 while nobody has counted them.

    :param page_count: the document's pages, where a job has found out.
    :param options: the job's effective options.
    """
    if page_count is None:
        return 1
    first, last = options.get("page_range") or (1, page_count)
    return max(min(last, page_count) - first + 1, 1)


class Quotas:
    """Refuses what would be too much. Without a limit nothing is asked of the database."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings

    async def check_job(self, caller: Caller, pages: int) -> None:
        """Refuse a job that has just been queued, in its transaction: what is counted includes it.

        A document with more pages than the limit is let through when the tenant has nothing else in flight.

        :param pages: what the job counts for.
        :raises QuotaExceeded: naming the quota.
        """
        most_jobs = quota(caller.max_queued_jobs, self._settings.max_queued_jobs)
        most_pages = quota(caller.max_pages_in_flight, self._settings.max_pages_in_flight)
        if most_jobs or most_pages:
            found = await quotas.in_flight(self._db, caller.tenant_id)
            if 0 < most_jobs < found.queued_jobs:
                raise _exceeded("queued_jobs", "queued jobs", most_jobs, found.queued_jobs - 1, 1, RETRY_AFTER)
            if 0 < most_pages < found.pages and found.pages > pages:
                raise _exceeded(
                    "pages_in_flight", "pages in flight", most_pages, found.pages - pages, pages, RETRY_AFTER
                )
        await self.check_stored(caller, 1)

    async def check_stored(self, caller: Caller, more_bytes: int, *, lock: bool = False) -> None:
        """Refuse bytes that would be too many. Results of jobs are stored whether there is room or not.

        :param lock: hold what is stored until the transaction ends, so that no two fill the same room.
        :raises QuotaExceeded: if there is no room for them.
        """
        most = quota(caller.max_stored_mb, self._settings.max_stored_mb) * _MEBI
        if most:
            used = await quotas.stored_bytes(self._db, caller.tenant_id, lock=lock)
            if used + more_bytes > most:
                raise _exceeded("stored_bytes", "stored bytes", most, used, more_bytes, None)


def _exceeded(name: str, what: str, limit: int, used: int, asked: int, retry_after: int | None) -> QuotaExceeded:
    more = used + asked - limit
    advice = "wait until some have ended" if retry_after else "delete documents, or ask the operator for more"
    return QuotaExceeded(
        f"Your tenant has {used} {what} and may have {limit}; {asked} more would be {more} too many: {advice}.",
        details={"quota": name, "limit": limit, "used": used, "exceeded_by": more},
        retry_after=retry_after,
    )
