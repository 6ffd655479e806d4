"""What webhooks need in the API and in workers."""

from docrefinery.services.webhooks.addresses import networks
from docrefinery.services.webhooks.courier import AT_ONCE, Courier
from docrefinery.services.webhooks.guard import Guard, SystemResolver
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.services.webhooks.sending import Sender, trust
from docrefinery.settings import Settings
from docrefinery.store.database import Database


def guard_of(settings: Settings) -> Guard:
    """Return the guard with the operator's allow list."""
    return Guard(networks(settings.webhook_allow_nets), SystemResolver())


def courier_of(db: Database, secrets: Secrets, settings: Settings) -> Courier:
    """Return what delivers."""
    sender = Sender(guard_of(settings), connections=AT_ONCE, trusted=trust())
    return Courier(db, sender, secrets, settings.webhook_schedule)
