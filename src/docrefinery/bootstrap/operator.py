"""What the operator's commands work with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from docrefinery.bootstrap.common import database_of, registry_of
from docrefinery.services.changes import Changes
from docrefinery.services.jobs import Jobs
from docrefinery.services.keys import Authenticator
from docrefinery.services.tenants import Tenants
from docrefinery.settings import Settings
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell


class Operator(Struct, frozen=True):
    """What commands work with."""

    tenants: Tenants
    jobs: Jobs
    authenticator: Authenticator


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Operator]:
    """Open the services that commands use."""
    db = database_of(settings)
    await db.start()
    doorbell = RedisDoorbell(build_broker(settings.redis_url))
    try:
        yield Operator(
            tenants=Tenants(db, registry_of(settings)),
            jobs=Jobs(db, Changes(db), doorbell),
            authenticator=Authenticator(db),
        )
    finally:
        await db.close()
