"""Who reads which pages of a long document, and what becomes of pages whose reader is lost."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from docrefinery.store import claims, garbage, jobs, slices, workers
from docrefinery.store.claims import LeaseLost
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord, SliceRecord
from docrefinery.store.slices import StoredPages
from tests.support.tenants import make_job, make_tenant
from tests.support.work import LEASE, HandWorker

RANGES = [(1, 16), (17, 32), (33, 40)]
QUEUES = ["convert"]


async def shared(db: Database, worker: HandWorker, name: str = "acme", reader: str = "r") -> ClaimRecord:
    """Return a running job whose pages wait."""
    await make_job(db, await make_tenant(db, name))
    claim = await worker.claim()
    await slices.share(db, claim, RANGES, reader)
    return claim


async def taken(db: Database, job_id: int, owner: UUID | None = None, lease: timedelta = LEASE) -> SliceRecord:
    found = await slices.claim(db, job_id, ["r"], owner or uuid4(), lease)
    assert found is not None
    return found


async def stored(db: Database, held: SliceRecord) -> str:
    key = f"{held.tenant_uuid}/pages/{held.token}"
    await garbage.note(db, key, removable_in=timedelta(hours=1))
    await slices.done(db, held, StoredPages(blob_key=key, size_bytes=1, data_key=None))
    return key


async def test_pages_are_given_out_once_and_in_order(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    given = [await slices.claim(db, claim.job_id, ["r"], worker.id, LEASE) for _ in range(4)]
    assert [(one.first_page, one.last_page) for one in given if one] == RANGES
    assert given[3] is None
    assert len({one.token for one in given if one}) == 3


async def test_workers_at_once_get_each_range_once(db: Database, worker: HandWorker) -> None:
    await shared(db, worker)
    found = await asyncio.gather(*(slices.claim_any(db, QUEUES, ["r"], uuid4(), LEASE) for _ in range(8)))
    assert sorted(one.first_page for one in found if one) == [1, 17, 33]


async def test_workers_that_read_otherwise_get_none(db: Database, worker: HandWorker) -> None:
    await shared(db, worker)
    assert await slices.claim_any(db, QUEUES, ["other"], uuid4(), LEASE) is None
    assert await slices.claim_any(db, ["models"], ["r"], uuid4(), LEASE) is None
    assert await slices.claim_any(db, QUEUES, ["other", "r"], uuid4(), LEASE) is not None


async def test_helpers_go_where_the_fewest_are_at_work(db: Database, worker: HandWorker) -> None:
    first = await shared(db, worker, "first")
    second = await shared(db, worker, "second")
    helped = [await slices.claim_any(db, QUEUES, ["r"], uuid4(), LEASE) for _ in range(4)]
    assert [one.job_id for one in helped if one] == [first.job_id, second.job_id] * 2


async def test_helpers_count_in_their_tenants_limit_and_the_jobs_own_worker_does_not_twice(
    db: Database, worker: HandWorker
) -> None:
    claim = await shared(db, worker)
    await db.fetch("UPDATE tenants SET max_running_jobs = 2 WHERE id = $1", claim.tenant_id)
    await taken(db, claim.job_id, worker.id)
    helped = await asyncio.gather(*(slices.claim_any(db, QUEUES, ["r"], uuid4(), LEASE) for _ in range(4)))
    assert len([one for one in helped if one]) == 1


async def test_nobody_begins_with_pages_of_a_job_that_is_canceled_or_over(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    await db.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", claim.job_id)
    assert await slices.claim_any(db, QUEUES, ["r"], uuid4(), LEASE) is None
    await worker.acknowledge_cancel(claim)
    assert await slices.look(db, claim.job_id) == []


async def test_a_heartbeat_tells_of_a_cancel_and_of_what_the_others_have_done(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    one, other = [await taken(db, claim.job_id) for _ in range(2)]
    await slices.beat(db, one, LEASE, pages_done=3)
    assert await slices.beat(db, other, LEASE, pages_done=4) == ("held", 7)
    await stored(db, one)
    assert await slices.beat(db, other, LEASE, pages_done=5) == ("held", 21)
    await db.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", claim.job_id)
    assert (await slices.beat(db, other, LEASE, pages_done=5))[0] == "cancel"


async def test_late_pages_are_not_taken(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    late = await taken(db, claim.job_id, lease=timedelta(seconds=-1))
    assert await slices.expire(db) == 1
    again = await taken(db, claim.job_id)
    assert (again.first_page, again.token > late.token) == (late.first_page, True)
    for report in (
        stored(db, late),
        slices.failed(db, late, "{}"),
        slices.crashed(db, late, "it did"),
        slices.give_back(db, late),
    ):
        with pytest.raises(LeaseLost):
            await report
    assert (await slices.beat(db, late, LEASE, pages_done=1))[0] == "lost"
    state = (await slices.look(db, claim.job_id))[0]
    assert (state.leased, state.crashes, state.blob_key) == (True, 1, None)


async def test_pages_stay_garbage_unless_they_are_noted_as_read_and_are_not_noted_once_they_are_gone(
    db: Database, worker: HandWorker
) -> None:
    claim = await shared(db, worker)
    late = await taken(db, claim.job_id, lease=timedelta(seconds=-1))
    await slices.expire(db)
    with pytest.raises(LeaseLost):
        await stored(db, late)
    assert await garbage.hold(db, f"{late.tenant_uuid}/pages/{late.token}")
    held = await taken(db, claim.job_id)
    with pytest.raises(LeaseLost):
        await slices.done(db, held, StoredPages(blob_key="never noted", size_bytes=1, data_key=None))
    assert (await slices.beat(db, held, LEASE, pages_done=1))[0] == "held"
    key = await stored(db, held)
    assert not await garbage.hold(db, key)


async def test_pages_that_are_given_back_are_nobodys_fault(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    await slices.give_back(db, await taken(db, claim.job_id))
    await slices.crashed(db, await taken(db, claim.job_id), "it did")
    assert [(state.crashes, state.reason) for state in await slices.look(db, claim.job_id)][:1] == [(1, "it did")]
    assert (await taken(db, claim.job_id)).first_page == 1


async def test_next_owner_keeps_what_was_read_in_the_same_way(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    await stored(db, await taken(db, claim.job_id))
    held = await taken(db, claim.job_id)
    await claims.give_back(db, claim)
    # A helper goes on while nobody has the job, and nobody begins.
    assert (await slices.beat(db, held, LEASE, pages_done=1))[0] == "held"
    assert await slices.claim_any(db, QUEUES, ["r"], uuid4(), LEASE) is None
    following = await worker.claim()
    await slices.share(db, following, RANGES, "r")
    await stored(db, held)
    assert [bool(state.blob_key) for state in await slices.look(db, claim.job_id)] == [True, True, False]
    with pytest.raises(LeaseLost):
        await slices.share(db, claim, RANGES, "r")


async def test_next_owner_that_reads_otherwise_begins_anew(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    key = await stored(db, await taken(db, claim.job_id))
    held = await taken(db, claim.job_id)
    await slices.share(db, claim, RANGES, "a newer version")
    assert (await slices.beat(db, held, LEASE, pages_done=1))[0] == "lost"
    assert [state.blob_key for state in await slices.look(db, claim.job_id)] == [None] * 3
    assert key in await garbage.removable(db, 9)


@pytest.mark.parametrize("ending", ["publish", "fail", "crash", "cancel"])
async def test_pages_are_garbage_once_their_job_is_over(db: Database, worker: HandWorker, ending: str) -> None:
    claim = await shared(db, worker)
    key = await stored(db, await taken(db, claim.job_id))
    held = await taken(db, claim.job_id)
    match ending:
        case "publish":
            await worker.publish(claim)
        case "fail":
            await worker.fail(claim)
        case "crash":
            await claims.crashed(db, claim, claims.Crash(code="WORKER_CRASHED", message="It did."), max_crashes=1)
        case _:
            await claims.give_back(db, claim)
            await jobs.cancel(db, claim.tenant_id, claim.job_id)
    assert await slices.look(db, claim.job_id) == []
    assert key in await garbage.removable(db, 9)
    with pytest.raises(LeaseLost):
        await stored(db, held)


async def test_pages_whose_blob_is_gone_are_read_again(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    key = await stored(db, await taken(db, claim.job_id))
    await slices.read_again(db, claim.job_id, "another's/pages/1")
    assert (await slices.look(db, claim.job_id))[0].blob_key == key
    await slices.read_again(db, claim.job_id, key)
    assert (await taken(db, claim.job_id)).first_page == 1
    assert key in await garbage.removable(db, 9)


async def test_waiting_pages_are_counted_by_queue_as_long_as_their_job_runs(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    await taken(db, claim.job_id)
    assert await slices.waiting(db, "convert", 9) == 2
    assert await slices.waiting(db, "convert", 1) == 1
    assert await slices.waiting(db, "models", 9) == 0
    await claims.give_back(db, claim)
    assert await slices.waiting(db, "convert", 9) == 0


async def test_readers_are_counted_everywhere_and_here(db: Database, worker: HandWorker) -> None:
    claim = await shared(db, worker)
    hosts = {worker.id: "here", uuid4(): "here", uuid4(): "there"}
    for owner, host in hosts.items():
        beat = workers.Beat(
            id=owner, hostname=host, pid=1, status="BUSY", queues=[], current_job_id=None, jobs_done=0, rss_bytes=0,
            version="1", ocr=None,
        )  # fmt: skip
        await workers.beat(db, beat)
        await stored(db, await taken(db, claim.job_id, owner))
    assert await slices.readers(db, claim.job_id, worker.id) == (3, 2)
