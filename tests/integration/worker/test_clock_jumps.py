"""A database whose clock jumps: nobody loses a job by it that they work on, and lost ones are found all the same."""

import time
from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest

from docrefinery.settings import Settings
from docrefinery.store import clock, jobs, slices
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support.tenants import make_job, make_tenant
from tests.support.work import HandWorker

LEASE = 30.0
HOUR = 3600.0


class Moved:
    """An installation whose database's clock can be set.

    For who sees it, a clock that is set is everything that was written before, moved the other way, and less or more
    time than it says.
    """

    def __init__(self, db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.db = db
        self.settings = msgspec.structs.replace(settings, lease_seconds=LEASE)
        self.worker = HandWorker.of(db, settings)
        self.behind = 0.0
        self._broker = build_broker(settings.redis_url)
        monkeypatch.setattr(
            "docrefinery.worker.clock.time", SimpleNamespace(monotonic=lambda: time.monotonic() - self.behind)
        )

    def sweeper(self) -> Maintenance:
        return Maintenance(self.db, Blobs(self.settings.storage), RedisDoorbell(self._broker), self.settings)

    async def set(self, seconds: float) -> None:
        """Let the database's clock jump ahead, or back."""
        self.behind += seconds
        await self.go_by(seconds)

    async def go_by(self, seconds: float) -> None:
        """Let time go by, for everybody alike."""
        for table in ("leases", "slices"):
            await self.db.fetch(f"UPDATE {table} SET expires_at = expires_at - make_interval(secs => $1)", seconds)

    async def running(self, count: int) -> list[ClaimRecord]:
        tenant = await make_tenant(self.db, "acme")
        for _ in range(count):
            await make_job(self.db, tenant)
        return [await self.worker.claim(timedelta(seconds=LEASE)) for _ in range(count)]

    async def state(self, claim: ClaimRecord) -> tuple[str, int]:
        job = await jobs.get(self.db, claim.tenant_id, claim.job_id)
        [row] = await self.db.fetch("SELECT crashes FROM jobs WHERE id = $1", claim.job_id)
        assert job is not None
        return job.status, row["crashes"]


@pytest.fixture
def moved(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Moved:
    return Moved(db, settings, monkeypatch)


@pytest.mark.parametrize("jump", [LEASE + 1, HOUR, 365 * 24 * HOUR])
async def test_a_jump_ahead_costs_no_running_job(moved: Moved, jump: float) -> None:
    held = await moved.running(3)
    before, new = moved.sweeper(), moved.sweeper()
    await before.sweep()
    await moved.set(jump)
    # Who has just been started has not seen the jump, and takes nothing either.
    await new.sweep()
    await before.sweep()
    await before.sweep()
    await new.sweep()
    assert [await moved.state(claim) for claim in held] == [("RUNNING", 0)] * 3
    for claim in held:
        assert await moved.worker.beat(claim) == "held"
        assert await moved.worker.publish(claim)


async def test_a_jump_ahead_takes_no_pages_from_who_reads_them(moved: Moved) -> None:
    [claim] = await moved.running(1)
    await slices.share(moved.db, claim, [(1, 16)], "r")
    held = await slices.claim(moved.db, claim.job_id, ["r"], moved.worker.id, timedelta(seconds=LEASE))
    assert held is not None
    sweeper = moved.sweeper()
    await sweeper.sweep()
    await moved.set(HOUR)
    await sweeper.sweep()
    [state] = await slices.look(moved.db, claim.job_id)
    assert (state.leased, state.crashes) == (True, 0)
    await moved.go_by(LEASE + 1)
    await sweeper.sweep()
    [state] = await slices.look(moved.db, claim.job_id)
    assert (state.leased, state.crashes) == (False, 1)


async def test_every_sweeper_sees_a_jump_for_itself(moved: Moved) -> None:
    [claim] = await moved.running(1)
    sweepers = [moved.sweeper() for _ in range(3)]
    for jump in (HOUR, HOUR, -HOUR, 7 * HOUR):
        for sweeper in sweepers:
            await sweeper.sweep()
        await moved.set(jump)
    for sweeper in sweepers:
        await sweeper.sweep()
    assert await moved.state(claim) == ("RUNNING", 0)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_lost_worker_is_found_a_lease_after_the_jump(moved: Moved, jump: float) -> None:
    [claim] = await moved.running(1)
    sweeper = moved.sweeper()
    await sweeper.sweep()
    await moved.set(jump)
    await sweeper.sweep()
    await sweeper.sweep()
    assert await moved.state(claim) == ("RUNNING", 0)
    await moved.go_by(LEASE + 1)
    await sweeper.sweep()
    assert await moved.state(claim) == ("QUEUED", 1)


async def test_a_sweep_that_fails_over_a_jump_finds_it_again(moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    [claim] = await moved.running(1)
    sweeper = moved.sweeper()
    await sweeper.sweep()
    await moved.set(HOUR)

    async def broken(*_: object) -> int:
        raise ConnectionError

    with monkeypatch.context() as failing:
        failing.setattr(clock, "begin_leases_anew", broken)
        with pytest.raises(ConnectionError):
            await sweeper.sweep()
    await sweeper.sweep()
    await sweeper.sweep()
    assert await moved.state(claim) == ("RUNNING", 0)


async def test_a_small_correction_is_no_jump(moved: Moved) -> None:
    lost, *_ = await moved.running(1)
    sweeper = moved.sweeper()
    await sweeper.sweep()
    await moved.go_by(LEASE - 1)
    await moved.set(2)
    await sweeper.sweep()
    assert await moved.state(lost) == ("QUEUED", 1)
