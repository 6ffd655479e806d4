"""For receivers: check that a request is DocumentRefinery's, and read its event. The standard library is all it needs.

``event = verify(body, headers, secret)``
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

__all__ = ["InvalidSignature", "verify"]

TOLERANCE_SECONDS = 300.0


class InvalidSignature(Exception):
    """The request is not DocumentRefinery's, was changed on its way, or is too old; the message says which."""


def verify(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance: float | None = TOLERANCE_SECONDS
) -> dict[str, Any]:
    """Return a webhook request's event.

    The Standard Webhooks signature is checked where there is one, since it covers the time of sending as well; else
    ``X-DocRefinery-Signature``, which covers the body alone.

    :param body: the request's raw body, exactly as it came.
    :param headers: the request's headers; the case of their names does not matter.
    :param secret: the endpoint's secret, as it was registered.
    :param tolerance: seconds by which the time of sending may differ from this machine's; ``None`` takes any.
    :raises InvalidSignature: if the request must not be believed.
    """
    given = {str(name).lower(): str(value) for name, value in headers.items()}
    if "webhook-signature" in given:
        _check_standard(body, given, secret, tolerance)
    elif "x-docrefinery-signature" in given:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if not _same(expected, given["x-docrefinery-signature"].strip()):
            raise InvalidSignature("X-DocRefinery-Signature does not fit the body and the secret.")
    else:
        raise InvalidSignature("The request carries no signature.")
    try:
        event = json.loads(body)
    except ValueError:
        raise InvalidSignature("The signature is right, but the body is not JSON.") from None
    if not isinstance(event, dict):
        raise InvalidSignature("The signature is right, but the body is not a JSON object.")
    return event


def _check_standard(body: bytes, headers: Mapping[str, str], secret: str, tolerance: float | None) -> None:
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise InvalidSignature("webhook-id or webhook-timestamp is missing or malformed.")
    if tolerance is not None and abs(time.time() - int(timestamp)) > tolerance:
        raise InvalidSignature(f"webhook-timestamp is more than {tolerance:g} s away from this machine's time.")
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(standard_key(secret), signed, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    # Several may stand here while a secret is being replaced; all are compared, whichever fits.
    fits = [_same(expected, candidate) for candidate in headers["webhook-signature"].split()]
    if not any(fits):
        raise InvalidSignature("webhook-signature does not fit the request and the secret.")


def standard_key(secret: str) -> bytes:
    """Return a secret's key in Standard Webhooks: the base64 after ``whsec_``, else the secret itself."""
    key = b""
    if secret.startswith("whsec_"):
        encoded = secret.removeprefix("whsec_")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
    return key or secret.encode()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
