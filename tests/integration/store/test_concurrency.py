"""Everything at once on a few documents: nobody waits in a circle, and what comes out is in order."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

from docrefinery.bootstrap.common import vault_of
from docrefinery.bootstrap.operator import operator
from docrefinery.errors import InvalidJobState, NotFound
from docrefinery.services.documents import Documents
from docrefinery.services.jobs import Jobs
from docrefinery.services.keys import Caller
from docrefinery.settings import Settings
from docrefinery.store import claims
from docrefinery.store.blobs import Blobs
from docrefinery.store.claims import Crash, LeaseLost
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord
from tests.support.consistent import assert_in_order
from tests.support.tenants import make_document, make_job, make_tenant
from tests.support.work import HandWorker

ACTORS, ROUNDS = 8, 50
CRASH = Crash(code="WORKER_CRASHED", message="Made by hand.")


async def test_random_mix_of_operations_has_no_deadlock_and_leaves_order(db: Database, settings: Settings) -> None:
    tenants = [await make_tenant(db, name) for name in ("one", "two")]
    made = [(tenant, (await make_document(db, tenant)).id) for tenant in tenants for _ in range(2)]
    pool = Database(settings.database_url, pool_size=ACTORS)
    await pool.start()
    done: list[str] = []
    async with operator(settings) as services:
        actors = [Actor(pool, settings, services.jobs, made, random.Random(seed)) for seed in range(ACTORS)]
        await asyncio.gather(*(actor.run(done) for actor in actors))
    await pool.close()
    assert {"claim", "publish", "cancel", "retry", "delete", "expire", "crash", "start"} <= set(done)
    await assert_in_order(db)


class Actor:
    """Somebody who does one thing after the other, whatever comes to mind."""

    def __init__(
        self, pool: Database, settings: Settings, service: Jobs, made: list[tuple[int, int]], choose: random.Random
    ) -> None:
        self.pool, self.service, self.made, self.choose = pool, service, made, choose
        self.worker = HandWorker.of(pool, settings)
        self.documents = Documents(pool, vault_of(settings, pool, Blobs(settings.storage)))
        self.held: list[ClaimRecord] = []

    async def run(self, done: list[str]) -> None:
        acts: dict[str, Callable[[], Awaitable[object]]] = {
            "start": self.start, "claim": self.claim, "beat": self.beat, "stage": self.stage, "publish": self.publish,
            "fail": self.fail, "give back": self.give_back, "crash": self.crash, "expire": self.expire,
            "cancel": self.cancel, "retry": self.retry, "delete": self.delete,
        }  # fmt: skip
        weights = [6, 6, 3, 3, 3, 3, 1, 2, 2, 3, 4, 1]
        for _ in range(ROUNDS):
            [name] = self.choose.choices(list(acts), weights)
            try:
                await acts[name]()
            except (LeaseLost, InvalidJobState, NotFound, IndexError):
                continue
            done.append(name)

    async def start(self) -> None:
        await make_job(self.pool, *self.choose.choice(self.made))

    async def claim(self) -> None:
        seconds = self.choose.choice([-1, 60])
        claim = await claims.claim(self.pool, ["convert"], uuid4(), timedelta(seconds=seconds))
        if claim is None:
            raise IndexError
        self.held.append(claim)

    def one(self) -> ClaimRecord:
        return self.choose.choice(self.held)

    async def beat(self) -> None:
        await self.worker.beat(self.one(), self.choose.randrange(9), 9)

    async def stage(self) -> None:
        await claims.enter_stage(self.pool, self.one(), "CONVERTING")

    async def publish(self) -> None:
        await self.worker.publish(self.one())

    async def fail(self) -> None:
        await self.worker.fail(self.one())

    async def give_back(self) -> None:
        await claims.give_back(self.pool, self.one())

    async def crash(self) -> None:
        await claims.crashed(self.pool, self.one(), CRASH, max_crashes=2)

    async def expire(self) -> None:
        await claims.expire(self.pool, CRASH, max_crashes=2)

    async def some_job(self, *statuses: str) -> tuple[int, int]:
        rows = await self.pool.fetch("SELECT tenant_id, id FROM jobs WHERE status = ANY($1::text[])", statuses)
        row = self.choose.choice(rows)
        return row["tenant_id"], row["id"]

    async def cancel(self) -> None:
        await self.service.cancel(*await self.some_job("QUEUED", "RUNNING", "SUCCEEDED"))

    async def retry(self) -> None:
        await self.service.retry(*await self.some_job("FAILED"))

    async def delete(self) -> None:
        index = self.choose.randrange(len(self.made))
        tenant, document = self.made[index]
        self.made[index] = (tenant, (await make_document(self.pool, tenant)).id)
        await self.documents.delete(Caller(tenant, "", "", 0, "", frozenset(), None), document)  # type: ignore[arg-type]
