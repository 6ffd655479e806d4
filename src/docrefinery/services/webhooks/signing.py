"""Signatures: the guide's header and the Standard Webhooks ones."""

import base64
import hashlib
import hmac
from uuid import UUID

from docrefinery.webhooks import standard_key


def headers(body: bytes, *, event: str, delivery: UUID, timestamp: int, secret: str | None) -> dict[str, str]:
    """Return the headers of one attempt; without a secret there are no signatures.

    :param timestamp: of the attempt, in Unix seconds.
    """
    told = {
        "X-DocRefinery-Event": event,
        "X-DocRefinery-Delivery": str(delivery),
        "webhook-id": str(delivery),
        "webhook-timestamp": str(timestamp),
    }
    if secret is None:
        return told
    whole = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    signed = hmac.new(standard_key(secret), f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return told | {
        "X-DocRefinery-Signature": f"sha256={whole}",
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
