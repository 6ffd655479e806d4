"""The audit log in the database: rows come, and go by age alone."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from docrefinery.services.audit import Action
from docrefinery.services.audit_log import AuditLog
from docrefinery.settings import Settings
from docrefinery.store import audit
from docrefinery.store.audit import Entry, Filters, NewEntry
from docrefinery.store.database import Database
from tests.support.waiting import until


def entry(object_name: str, days_ago: int = 0) -> NewEntry:
    return NewEntry(
        action=Action.KEY_CREATED,
        actor_kind="operator",
        actor="root",
        object=object_name,
        happened_at=datetime.now(UTC) - timedelta(days=days_ago),
    )


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_application_adds_and_changes_nothing(db: Database, statement: str) -> None:
    await audit.insert(db, [entry("key 1")])
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await db.fetch(statement)
    async with db.transaction():
        await db.fetch("SELECT set_config('docrefinery.prune_audit', 'on', true)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await db.fetch(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_owner_is_held_by_a_trigger(db: Database, settings: Settings, statement: str) -> None:
    await audit.insert(db, [entry("key 1")])
    owner = await asyncpg.connect(settings.migration_database_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="added to"):
        await owner.execute(statement)
    await owner.close()


async def test_pruning_removes_what_is_old_and_tells_of_it(db: Database, settings: Settings) -> None:
    await audit.insert(db, [entry("key 1", 40), entry("key 2", 31), entry("key 3", 29)])
    owner = Database(settings.migration_database_url, pool_size=1)
    await owner.start()
    assert await AuditLog(owner).prune(30) == 2
    assert await AuditLog(owner).prune(30) == 0
    await owner.close()
    left = [found.object for found in await audit.newest(db, Filters(), 10)]
    assert left == ["key 3", "audit log", "audit log"]


async def test_filters_narrow(db: Database) -> None:
    await audit.insert(db, [entry("key 1", 3), entry("key 2", 2), entry("key 3", 1)])
    now = datetime.now(UTC)

    async def found(filters: Filters, limit: int = 10) -> list[str]:
        return [one.object for one in await audit.newest(db, filters, limit)]

    assert await found(Filters(since=now - timedelta(days=2, hours=1))) == ["key 2", "key 3"]
    assert await found(Filters(until=now - timedelta(days=1, hours=1))) == ["key 1", "key 2"]
    assert await found(Filters(), limit=1) == ["key 3"]
    assert await found(Filters(action=Action.JOB_CANCELED)) == []
    assert await found(Filters(tenant_id=1)) == []


async def test_follower_misses_nothing_that_commits_late(db: Database, settings: Settings) -> None:
    """What got its number first and commits last comes last, and comes."""
    await audit.insert(db, [entry("key 0")])
    other = Database(settings.database_url, pool_size=1)
    await other.start()
    seen: list[Entry] = []

    async def follow() -> None:
        async for one in AuditLog(db).follow(Filters(), 10):
            seen.append(one)
            if len(seen) == 3:
                return

    async with other.transaction():
        await audit.insert(other, [entry("key 1")])
        await audit.insert(db, [entry("key 2")])
        following = asyncio.create_task(follow())
        await until(lambda: seen)
        assert [one.object for one in seen] == ["key 0"]
    async with asyncio.timeout(20):
        await following
    await other.close()
    assert sorted(one.object for one in seen) == ["key 0", "key 1", "key 2"]
