"""The composition root: the one place that knows every concrete class."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec import Struct

from docrefinery.api.app import App, create_app
from docrefinery.api.deps import Services
from docrefinery.embedded import locate
from docrefinery.pipeline.converter import ChildLimits, Converter
from docrefinery.pipeline.publishing import Publisher
from docrefinery.pipeline.runner import Runner, Slot
from docrefinery.pipeline.scanning import Scanning
from docrefinery.plugin.registry import Registry, load
from docrefinery.services.artifacts import Artifacts
from docrefinery.services.changes import CANCELS, Changes
from docrefinery.services.documents import Documents
from docrefinery.services.health import Health
from docrefinery.services.jobs import Jobs
from docrefinery.services.keys import Authenticator
from docrefinery.services.submissions import Submissions
from docrefinery.services.tenants import Tenants
from docrefinery.settings import Settings, SettingsError
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.worker.broker import RedisBroker, build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.main import OnTheLoop, Parts
from docrefinery.worker.maintenance import Maintenance


def connected(settings: Settings) -> Settings:
    """Fill in the URLs of embedded services that run on the data dir, where none are set.

    :raises SettingsError: if there are none either.
    """
    if settings.database_url and settings.redis_url:
        return settings
    running = locate(settings.data_dir)
    if running is None:
        raise SettingsError(
            f"Nothing runs on {settings.data_dir}: start `docrefinery up`, or set DATABASE_URL and REDIS_URL."
        )
    own_database = bool(settings.database_url)
    return msgspec.structs.replace(
        settings,
        database_url=settings.database_url or running.database_url,
        redis_url=settings.redis_url or running.redis_url,
        migration_database_url=(settings.migration_database_url if own_database else running.migration_database_url),
    )


def registry_of(settings: Settings) -> Registry:
    """Load the plugins.

    :raises PluginError: if one of them cannot be used.
    :raises SettingsError: if the scanner that is asked for does not exist.
    """
    registry = load(settings.plugins)
    if settings.scanner_name not in registry.scanners:
        known = ", ".join(sorted(registry.scanners))
        raise SettingsError(f"DOCREFINERY_SCANNER={settings.scanner_name}: no plugin offers it; there are {known}.")
    return registry


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        statement_cache=settings.database_statement_cache,
    )


def child_limits(settings: Settings) -> ChildLimits:
    """Return what a converter process may use."""
    mebi = 1024 * 1024
    return ChildLimits(
        memory_bytes=settings.child_memory_mb * mebi,
        max_jobs=settings.child_max_jobs,
        max_rss_bytes=settings.child_max_rss_mb * mebi,
    )


def build_api(settings: Settings) -> App:
    """Build the API process's application; ``api.middleware.observed`` goes around it where it is served."""
    registry, db, blobs = registry_of(settings), _database(settings), Blobs(settings.storage)
    doorbell = RedisDoorbell(build_broker(settings.redis_url))
    authenticator = Authenticator(db)
    changes = Changes(db, on_keys=authenticator.forget, on_listening=authenticator.cache)
    services = Services(
        settings=settings,
        registry=registry,
        authenticator=authenticator,
        submissions=Submissions(db, blobs, doorbell, registry, settings),
        documents=Documents(db, blobs),
        jobs=Jobs(db, changes, doorbell),
        artifacts=Artifacts(db, blobs),
        health=Health(db, blobs, doorbell, registry, settings),
    )

    @asynccontextmanager
    async def lifespan(_: App) -> AsyncIterator[None]:
        await db.start()
        await changes.start()
        try:
            yield
        finally:
            await changes.close()
            await db.close()

    return create_app(services, lifespan)


def build_worker(settings: Settings, scratch: Path) -> tuple[RedisBroker, OnTheLoop]:
    """Build what a worker process runs."""
    registry, db, blobs = registry_of(settings), _database(settings), Blobs(settings.storage)
    lifecycle = OnTheLoop()
    broker = build_broker(settings.redis_url, lifecycle)
    doorbell = RedisDoorbell(broker)
    changes = Changes(db, channel=CANCELS)
    converter = Converter(child_limits(settings), settings.plugins, scratch)
    worker_id = uuid4()
    runner = Runner(
        Slot(worker_id=worker_id, watching=changes.watching, scratch=scratch),
        db,
        blobs,
        converter,
        Scanning(registry.scanners[settings.scanner_name], converter, settings.environ),
        Publisher(db, blobs, registry),
        settings,
    )
    lifecycle.parts = Parts(
        worker_id=worker_id,
        db=db,
        changes=changes,
        converter=converter,
        runner=runner,
        maintenance=Maintenance(db, blobs, doorbell, settings),
    )
    return broker, lifecycle


class Operator(Struct, frozen=True):
    """What commands work with."""

    tenants: Tenants
    jobs: Jobs
    authenticator: Authenticator


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Operator]:
    """Open the services that commands use."""
    db = _database(settings)
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
