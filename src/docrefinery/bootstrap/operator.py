"""What the operator's commands work with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct

from docrefinery.bootstrap.common import blobs_of, database_of, registry_of, vault_of
from docrefinery.services.abilities import Abilities
from docrefinery.services.audit_log import AuditLog
from docrefinery.services.changes import Changes
from docrefinery.services.encryption import Encryption
from docrefinery.services.jobs import Jobs
from docrefinery.services.keys import Authenticator
from docrefinery.services.load import Load
from docrefinery.services.queues import Queues
from docrefinery.services.quotas import Quotas
from docrefinery.services.storage import Storage
from docrefinery.services.tenants import Tenants
from docrefinery.services.toggles import Toggles
from docrefinery.settings import Settings
from docrefinery.store.encryption.keys import MasterKeys
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell


class Operator(Struct, frozen=True):
    """What commands work with."""

    tenants: Tenants
    toggles: Toggles
    jobs: Jobs
    encryption: Encryption
    storage: Storage
    authenticator: Authenticator
    audit: AuditLog


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Operator]:
    """Open the services that commands use, as the schema's owner where that is known.

    The audit log believes nobody else to be an operator.
    """
    if settings.migration_database_url:
        settings = msgspec.structs.replace(settings, database_url=settings.migration_database_url)
    db = database_of(settings, walled=False)
    await db.start()
    doorbell = RedisDoorbell(build_broker(settings.redis_url))
    registry = registry_of(settings)
    abilities = Abilities(db, settings)
    masters = MasterKeys(settings.secret_keys)
    blobs = blobs_of(settings)
    tenants = Tenants(db, registry, abilities, has_keys=masters.available)
    try:
        yield Operator(
            tenants=tenants,
            toggles=Toggles(db, registry, tenants),
            jobs=Jobs(
                db,
                Changes(db),
                doorbell,
                Queues(registry, abilities, settings),
                Quotas(db, settings),
                Load(db, settings),
            ),
            encryption=Encryption(db, vault_of(settings, db, blobs), masters, tenants),
            storage=Storage(db, blobs),
            authenticator=Authenticator(db),
            audit=AuditLog(db),
        )
    finally:
        await db.close()
