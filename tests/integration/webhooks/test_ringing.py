"""How workers learn of deliveries, and what they do when they start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from docrefinery.services.doorbell import WEBHOOKS
from docrefinery.services.webhooks.renewal import renew
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.settings import Settings
from docrefinery.store import deliveries, webhooks
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.worker.bell import Bell
from docrefinery.worker.broker import DoorbellBroker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support.hooks import KEYS, SECRET, make_endpoint
from tests.support.waiting import until

URL = "http://127.0.0.1:9999/"


def messages(broker: DoorbellBroker) -> int:
    length: int = broker.client.llen(f"{broker.namespace}:{WEBHOOKS}")
    return length


async def something_due(db: Database, tenant: int) -> None:
    """Commit a delivery that is due."""
    endpoint = await make_endpoint(db, tenant, URL)
    await deliveries.insert(db, tenant, endpoint.id, "ping", b"{}")


@asynccontextmanager
async def ringing(db: Database, broker: DoorbellBroker) -> AsyncIterator[asyncio.Task[None]]:
    """Run a bell."""
    task = asyncio.create_task(Bell(db, RedisDoorbell(broker)).run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_of_several_rings_and_another_takes_over(db: Database, tenant: int, broker: DoorbellBroker) -> None:
    async with ringing(db, broker) as first:
        # What was committed before is told to nobody, so the first rings at once.
        await until(lambda: messages(broker) == 1)
        async with ringing(db, broker):
            broker.flush_all()
            await something_due(db, tenant)
            seconds = await until(lambda: messages(broker) == 1)
            assert seconds < 1
            first.cancel()
            broker.flush_all()
            await until(lambda: messages(broker) == 1, 5)
            broker.flush_all()
            await something_due(db, tenant)
            await until(lambda: messages(broker) == 1)


async def test_bell_whose_connection_is_cut_rings_again(db: Database, tenant: int, broker: DoorbellBroker) -> None:
    async with ringing(db, broker):
        await until(lambda: messages(broker) == 1)
        broker.flush_all()
        await db.fetch(
            """SELECT pg_terminate_backend(l.pid) FROM pg_locks l
               WHERE l.locktype = 'advisory' AND l.pid <> pg_backend_pid()
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
        )
        await until(lambda: messages(broker) == 1, 5)


async def test_sweep_rings_for_what_nobody_was_told_of(
    db: Database, settings: Settings, tenant: int, broker: DoorbellBroker
) -> None:
    maintenance = Maintenance(db, Blobs(settings.storage), RedisDoorbell(broker), settings)
    await maintenance.sweep()
    assert messages(broker) == 0
    await something_due(db, tenant)
    for _ in range(2):
        await maintenance.sweep()
        assert messages(broker) == 1
    broker.flush_all()
    await deliveries.claim(db, 10, busy={}, per_endpoint=4, lease=timedelta(seconds=60))
    await maintenance.sweep()
    assert messages(broker) == 0


async def test_start_of_a_worker_brings_every_secret_under_the_first_key(db: Database, tenant: int) -> None:
    old, both, new = Secrets(KEYS[:1]), Secrets(KEYS[::-1]), Secrets(KEYS[1:])
    made = [await make_endpoint(db, tenant, URL, secret=f"{SECRET}{number}") for number in range(3)]
    await make_endpoint(db, tenant, URL)
    assert await renew(db, old) == 0
    assert await renew(db, both) == 3
    assert await renew(db, both) == 0
    for number, endpoint in enumerate(made):
        token = await webhooks.secret_of(db, tenant, endpoint.id)
        assert token is not None
        assert new.decrypt(token) == f"{SECRET}{number}"
    assert await renew(db, Secrets(())) == 0
