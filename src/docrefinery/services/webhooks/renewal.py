"""After a change of keys: every secret is encrypted under the first one, so that the others can go."""

import structlog

from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.store import webhooks
from docrefinery.store.database import Database

log = structlog.get_logger(__name__)

AT_ONCE = 200


async def renew(db: Database, secrets: Secrets) -> int:
    """Encrypt every webhook's secret under the first key and return for how many that changed something."""
    renewed = after = 0
    while found := await webhooks.secrets_after(db, after, AT_ONCE):
        for endpoint_id, token in found:
            if (new := secrets.renewed(token)) is not None:
                await webhooks.replace_secret(db, endpoint_id, token, new)
                renewed += 1
        after = found[-1][0]
    if renewed:
        log.info("webhook_secrets_encrypted_under_the_first_key", webhooks=renewed)
    return renewed
