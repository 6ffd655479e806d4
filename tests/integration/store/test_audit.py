"""The audit log in the database: rows come, and go by age alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest

from docrefinery.services.audit import Action, acting, operator_acts
from docrefinery.services.audit_log import AuditLog
from docrefinery.settings import Settings
from docrefinery.store import audit
from docrefinery.store.audit import Entry, Filters, NewEntry
from docrefinery.store.database import Database
from tests.support.ageing import age_audit
from tests.support.waiting import until


def entry(object_name: str) -> NewEntry:
    return NewEntry(action=Action.KEY_CREATED, actor_kind="system", actor="", object=object_name)


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[Database]:
    """A pool as the schema's owner."""
    database = Database(settings.migration_database_url, pool_size=1)
    await database.start()
    yield database
    await database.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_application_adds_and_changes_nothing(db: Database, statement: str) -> None:
    await audit.insert(db, [entry("key 1")])
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await db.fetch(statement)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE audit_log SET actor = 'nobody'", "added to"),
        ("TRUNCATE audit_log", "added to"),
        ("DELETE FROM audit_log", "last 7 days"),
        ("DELETE FROM audit_log WHERE object = 'key 2'", "last 7 days"),
    ],
)
async def test_owner_is_held_by_triggers_that_no_setting_switches_off(
    db: Database, owner: Database, settings: Settings, statement: str, says: str
) -> None:
    await audit.insert(db, [entry("key 1"), entry("key 2")])
    await age_audit(settings.migration_database_url, {"key 1": 8, "key 2": 6})
    await owner.fetch("SELECT set_config('docrefinery.prune_audit', 'on', false)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=says):
        await owner.fetch(statement)
    assert len(await audit.newest(db, Filters(), 10)) == 2


async def test_whatever_is_removed_leaves_an_entry_about_it(db: Database, owner: Database, settings: Settings) -> None:
    await audit.insert(db, [entry("key 1"), entry("key 2")])
    await age_audit(settings.migration_database_url, {"key 1": 8})
    await owner.fetch("DELETE FROM audit_log WHERE object = 'key 1'")
    left = await audit.newest(db, Filters(), 10)
    assert [(one.action, one.object) for one in left] == [("key.created", "key 2"), ("audit.pruned", "audit log")]
    assert (left[1].actor_kind, left[1].actor) == ("operator", "docrefinery_owner")
    assert msgspec.json.decode(left[1].details)["removed"] == 1


async def test_pruning_removes_what_is_old_and_tells_of_it(db: Database, owner: Database, settings: Settings) -> None:
    await audit.insert(db, [entry("key 1"), entry("key 2"), entry("key 3")])
    await age_audit(settings.migration_database_url, {"key 1": 40, "key 2": 31, "key 3": 29})
    operator_acts()
    assert await AuditLog(owner).prune(30) == 2
    assert await AuditLog(owner).prune(30) == 0
    left = await audit.newest(db, Filters(), 10)
    assert [found.object for found in left] == ["key 3", "audit log", "audit log"]
    assert {(found.actor_kind, found.actor) for found in left[1:]} == {("operator", acting().name)}


async def test_when_and_in_which_order_something_came_is_the_databases_word(db: Database) -> None:
    await db.fetch(
        """INSERT INTO audit_log (id, xid, happened_at, actor_kind, actor, action, outcome) OVERRIDING SYSTEM VALUE
           VALUES (9000000, '1', now() - interval '1 year', 'system', '', 'key.created', 'done')"""
    )
    [one] = await audit.newest(db, Filters(), 10)
    assert one.id < 9000000
    assert one.xid > 1
    assert datetime.now(UTC) - one.happened_at < timedelta(minutes=1)


async def test_nobody_is_an_operator_as_the_application(db: Database, owner: Database) -> None:
    said = NewEntry(action=Action.KEY_CREATED, actor_kind="operator", actor="root")
    await audit.insert(db, [said])
    await audit.insert(owner, [said])
    assert [one.actor_kind for one in await audit.newest(db, Filters(), 10)] == ["claimed", "operator"]


async def test_filters_narrow(db: Database, settings: Settings) -> None:
    await audit.insert(db, [entry("key 1"), entry("key 2"), entry("key 3")])
    await age_audit(settings.migration_database_url, {"key 1": 3, "key 2": 2, "key 3": 1})
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
