"""Webhook endpoints and couriers made for tests."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from docrefinery.bootstrap.webhooks import guard_of
from docrefinery.model import JOB_UPDATED
from docrefinery.services.webhooks.courier import AT_ONCE, Courier
from docrefinery.services.webhooks.guard import Guard
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.services.webhooks.sending import Sender
from docrefinery.settings import Settings
from docrefinery.store import webhooks
from docrefinery.store.database import Database
from docrefinery.store.records import EndpointRecord

KEYS = ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8=")
LOOPBACK = ("127.0.0.0/8",)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def make_endpoint(
    db: Database, tenant_id: int, url: str, *, secret: str | None = None, enabled: bool = True
) -> EndpointRecord:
    """Register an endpoint without the API."""
    values = webhooks.EndpointValues(
        name="test",
        url=url,
        secret=None if secret is None else Secrets(KEYS[:1]).encrypt(secret),
        events=[JOB_UPDATED],
        enabled=enabled,
    )
    return await webhooks.insert(db, tenant_id, values)


@asynccontextmanager
async def delivering(
    db: Database,
    settings: Settings,
    *,
    delays: Sequence[float] = (0, 60, 60),
    keys: Sequence[str] = KEYS[:1],
    guard: Guard | None = None,
    trusted: ssl.SSLContext | None = None,
    limit_seconds: float = 15,
) -> AsyncIterator[Courier]:
    """Run a courier, as a worker does."""
    sender = Sender(
        guard or guard_of(settings),
        connections=AT_ONCE,
        trusted=trusted or ssl.create_default_context(),
        limit_seconds=limit_seconds,
    )
    courier = Courier(db, sender, Secrets(keys), delays)
    yield courier
    await courier.close()


async def deliver(courier: Courier) -> None:
    """Deliver what is due, to the end of every attempt."""
    await courier.look()
    await courier.idle()


async def deliveries_of(db: Database, **conditions: Any) -> list[dict[str, Any]]:
    """Return deliveries in the order in which they were made."""
    rows = await db.fetch("SELECT * FROM webhook_deliveries ORDER BY id")
    return [dict(row) for row in rows if all(row[name] == value for name, value in conditions.items())]


async def skip_the_wait(db: Database) -> None:
    """Let the time until the next attempts pass."""
    await db.fetch("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE next_attempt_at > now()")
