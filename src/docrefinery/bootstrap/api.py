"""The API process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from docrefinery.api.app import App, create_app
from docrefinery.api.deps import Services
from docrefinery.bootstrap.common import blobs_of, database_of, registry_of, scanner_of, vault_of
from docrefinery.bootstrap.webhooks import guard_of
from docrefinery.services.abilities import Abilities
from docrefinery.services.artifacts import Artifacts
from docrefinery.services.changes import Changes
from docrefinery.services.dashboard import Dashboard
from docrefinery.services.documents import Documents
from docrefinery.services.health import Health
from docrefinery.services.jobs import Jobs
from docrefinery.services.keys import Authenticator
from docrefinery.services.load import Load
from docrefinery.services.metrics import Metrics
from docrefinery.services.planning import Planner
from docrefinery.services.queues import Queues
from docrefinery.services.quotas import Quotas
from docrefinery.services.rates import Rates
from docrefinery.services.reception import Reception
from docrefinery.services.submissions import Submissions
from docrefinery.services.trail import Trail
from docrefinery.services.webhooks.endpoints import Webhooks
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.settings import Settings
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell

ANSWER_SECONDS = 10
"""How long a request waits for a database that is there and says nothing: clients have time limits of their own."""


def build_api(settings: Settings) -> App:
    """Build the API process's application; ``api.middleware.observed`` goes around it where it is served."""
    registry, blobs = registry_of(settings), blobs_of(settings)
    db = database_of(settings, walled=True, patience_seconds=ANSWER_SECONDS)
    vault = vault_of(settings, db, blobs)
    doorbell = RedisDoorbell(build_broker(settings.redis_url))
    trail = Trail(db)
    authenticator = Authenticator(db, on_refused=trail.key_refused)
    abilities = Abilities(db, settings)
    changes = Changes(db, on_keys=authenticator.forget, on_listening=authenticator.cache, proves=True)
    quotas, load, rates = Quotas(db, settings), Load(db, settings), Rates(settings)
    reception = Reception(db, vault, settings, quotas, load)
    services = Services(
        settings=settings,
        registry=registry,
        authenticator=authenticator,
        abilities=abilities,
        rates=rates,
        reception=reception,
        submissions=Submissions(db, vault, doorbell, Planner(registry, abilities, settings), quotas, load, reception),
        documents=Documents(db, vault),
        jobs=Jobs(db, changes, doorbell, Queues(registry, abilities, settings), quotas, load),
        artifacts=Artifacts(db, vault),
        health=Health(db, blobs, doorbell, scanner_of(registry, settings), registry, abilities, settings),
        dashboard=Dashboard(db, settings),
        metrics=Metrics(db, settings),
        trail=trail,
        webhooks=Webhooks(db, guard_of(settings), Secrets(settings.secret_keys)),
    )

    @asynccontextmanager
    async def lifespan(_: App) -> AsyncIterator[None]:
        await db.start()
        await changes.start()
        await trail.start()
        try:
            yield
        finally:
            await changes.close()
            await trail.close()
            await rates.close()
            await db.close()

    return create_app(services, lifespan)
