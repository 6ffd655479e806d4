"""Turns between tenants, and how many jobs one may have running."""

import asyncio
import json
import random
from collections import Counter
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from docrefinery.settings import Settings
from docrefinery.store import claims, tenants
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord
from docrefinery.store.tenants import Limits
from tests.support.bulk import queue_in_bulk
from tests.support.tenants import make_job, make_tenant
from tests.support.work import LEASE, HandWorker


async def limit(db: Database, tenant: int, jobs: int) -> None:
    """Set how many jobs a tenant may have running; 0 is no limit."""
    await tenants.set_tenant(db, tenant, limits=Limits(max_running_jobs=jobs))


async def tenants_of_next(db: Database, times: int) -> list[int | None]:
    """Claim several times and return whose jobs were given."""
    found = [await claims.claim(db, ["convert"], uuid4(), LEASE) for _ in range(times)]
    return [claim.tenant_id if claim else None for claim in found]


async def test_a_tenant_has_no_more_jobs_running_than_its_limit(db: Database, worker: HandWorker) -> None:
    held, free = await make_tenant(db, "held"), await make_tenant(db, "free")
    for tenant in (held, free):
        for _ in range(4):
            await make_job(db, tenant)
    await limit(db, held, 1)
    first = [await worker.claim(), await worker.claim()]
    assert {claim.tenant_id for claim in first} == {held, free}
    assert await tenants_of_next(db, 4) == [free, free, free, None]
    await worker.publish(next(claim for claim in first if claim.tenant_id == held))
    assert await tenants_of_next(db, 2) == [held, None]


async def test_a_limit_holds_and_ends_with_the_next_claim(db: Database) -> None:
    tenant = await make_tenant(db, "acme")
    for _ in range(3):
        await make_job(db, tenant)
    assert await tenants_of_next(db, 1) == [tenant]
    await limit(db, tenant, 1)
    assert await tenants_of_next(db, 1) == [None]
    await limit(db, tenant, 2)
    assert await tenants_of_next(db, 2) == [tenant, None]
    await limit(db, tenant, 0)
    assert await tenants_of_next(db, 1) == [tenant]


async def test_what_the_limit_keeps_back_does_not_count_as_waiting(db: Database) -> None:
    held, free = await make_tenant(db, "held"), await make_tenant(db, "free")
    for _ in range(5):
        await make_job(db, held)
    await limit(db, held, 2)
    assert await claims.waiting(db, "convert", 16) == 2
    assert await claims.waiting(db, "convert", 1) == 1
    await tenants_of_next(db, 2)
    assert await claims.waiting(db, "convert", 16) == 0
    await make_job(db, free)
    assert await claims.waiting(db, "convert", 16) == 1
    await limit(db, held, 1)
    assert await claims.waiting(db, "convert", 16) == 1


async def test_many_workers_at_once_never_pass_the_limit(db: Database, settings: Settings) -> None:
    held, free = await make_tenant(db, "held"), await make_tenant(db, "free")
    for tenant in (held, free):
        for _ in range(12):
            await make_job(db, tenant)
    await limit(db, held, 3)
    pool = Database(settings.database_url, pool_size=16)
    await pool.start()
    try:
        given = await asyncio.gather(*(tenants_of_next(pool, 1) for _ in range(24)))
    finally:
        await pool.close()
    # Those who met the limit together took a job of the other tenant, so none went away empty too early.
    assert Counter(tenant for [tenant] in given) == {held: 3, free: 12, None: 9}


async def test_a_job_that_leaves_the_running_ones_in_any_way_makes_room(db: Database, worker: HandWorker) -> None:
    tenant = await make_tenant(db, "acme")
    await limit(db, tenant, 1)
    for _ in range(6):
        await make_job(db, tenant)
    crash = claims.Crash(code="WORKER_CRASHED", message="Made by hand.")
    await worker.fail(await worker.claim())
    await worker.quarantine(await worker.claim())
    await claims.give_back(db, await worker.claim())
    await claims.crashed(db, await worker.claim(), crash, max_crashes=3)
    await worker.acknowledge_cancel(await worker.claim())
    await worker.claim()
    [row] = await db.fetch("SELECT running FROM tenant_clocks WHERE tenant_id = $1", tenant)
    assert row["running"] == 1


@pytest.mark.parametrize("seed", range(4))
async def test_turns_follow_the_rule_whatever_happens(db: Database, worker: HandWorker, seed: int) -> None:
    """Fewest running first, then the longest since its last turn; nobody above the limit, nobody left out."""
    choose = random.Random(seed)
    made = [await make_tenant(db, f"t{number}") for number in range(6)]
    limits = {tenant: choose.choice([0, 0, 1, 2]) for tenant in made}
    for tenant, most in limits.items():
        await limit(db, tenant, most)
    queued, running, turns = Counter[int](), Counter[int](), Counter[int]()
    held: list[ClaimRecord] = []
    for turn in range(1, 90):
        act = choose.choices(["start", "claim", "finish"], [3, 4, 2])[0]
        if act == "start":
            tenant = choose.choice(made)
            await make_job(db, tenant)
            queued[tenant] += 1
        elif act == "finish" and held:
            done = held.pop(choose.randrange(len(held)))
            await worker.fail(done)
            running[done.tenant_id] -= 1
        elif act == "claim":
            ready = [t for t in made if queued[t] and (not limits[t] or running[t] < limits[t])]
            claim = await claims.claim(db, ["convert"], worker.id, LEASE)
            assert (claim is None) == (not ready)
            if claim is not None:
                best = min((running[t], turns[t]) for t in ready)
                assert (running[claim.tenant_id], turns[claim.tenant_id]) == best
                held.append(claim)
                queued[claim.tenant_id] -= 1
                running[claim.tenant_id] += 1
                turns[claim.tenant_id] = turn


async def test_one_job_of_another_tenant_is_next_behind_a_thousand(
    db: Database, settings: Settings, worker: HandWorker
) -> None:
    busy, quiet = await make_tenant(db, "busy"), await make_tenant(db, "quiet")
    await queue_in_bulk(settings, busy, 1000)
    assert await tenants_of_next(db, 4) == [busy] * 4
    await make_job(db, quiet)
    assert await tenants_of_next(db, 2) == [quiet, busy]


def _touched(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def _scans_of_jobs(plan: dict[str, Any]) -> set[str]:
    own = {plan["Node Type"]} if plan.get("Relation Name") == "jobs" else set()
    return own.union(*(_scans_of_jobs(part) for part in plan.get("Plans", [])))


@pytest.mark.parametrize("wanted", [["convert"], ["convert", "models"]])
@pytest.mark.parametrize("filled", [["convert"], ["models"], ["convert", "models"]])
async def test_a_claim_behind_a_hundred_thousand_jobs_seeks_in_indexes(
    db: Database, settings: Settings, filled: list[str], wanted: list[str]
) -> None:
    busy, quiet = await make_tenant(db, "busy"), await make_tenant(db, "quiet")
    await queue_in_bulk(settings, busy, 100_000, filled)
    await make_job(db, quiet)
    owner = await asyncpg.connect(settings.migration_database_url)
    try:
        await owner.execute("ANALYZE jobs, tenants, tenant_clocks")
    finally:
        await owner.close()
    # As the application's role, for whom row-level security is part of the plan.
    [explained] = await db.fetch("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + claims.CLAIM, wanted, uuid4(), LEASE)
    [found] = json.loads(explained[0])
    assert _scans_of_jobs(found["Plan"]) <= {"Index Scan", "Index Only Scan", "ModifyTable"}, explained
    assert _touched(found["Plan"]) < 500, explained
    [row] = await db.fetch("SELECT count(*) AS n FROM jobs WHERE status = 'RUNNING'")
    assert row["n"] == 1
