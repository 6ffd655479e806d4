"""The database lets a job's status change only as the model says."""

import asyncpg
import pytest

from docrefinery.model import TRANSITIONS, JobStatus
from docrefinery.store.database import Database
from tests.support.tenants import make_job, make_tenant


async def _put(db: Database, status: JobStatus) -> None:
    ended = "now()" if status.terminal else "NULL"
    await db.fetch(f"UPDATE jobs SET status = $1, error_code = 'X', finished_at = {ended}", status)


PATHS: dict[JobStatus, list[JobStatus]] = {
    JobStatus.QUEUED: [],
    **{status: [JobStatus.RUNNING] for status in JobStatus if status != JobStatus.QUEUED},
}


@pytest.mark.parametrize("before", JobStatus)
@pytest.mark.parametrize("after", JobStatus)
async def test_database_allows_what_the_model_allows(db: Database, before: JobStatus, after: JobStatus) -> None:
    await make_job(db, await make_tenant(db, "acme"))
    for status in dict.fromkeys([*PATHS[before], before]):
        if status != JobStatus.QUEUED:
            await _put(db, status)
    if after == before or after in TRANSITIONS[before]:
        await _put(db, after)
    else:
        with pytest.raises(asyncpg.CheckViolationError, match=f"from {before} to {after}"):
            await _put(db, after)
