"""For receivers of webhooks: whether a request is the service's, and what it tells."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from docrefinery.webhooks import TOLERANCE_SECONDS, InvalidSignature, verify

__all__ = ["Event", "InvalidSignature", "JobEvent", "OtherEvent", "PingEvent", "verify_webhook"]


class JobEvent(Struct, frozen=True, kw_only=True):
    """``job.updated``: a job's status or stage changed. ``sequence`` rises with each event of the job."""

    event: str
    job_id: int
    job_uuid: UUID
    document_id: int
    status: str
    stage: str
    previous_status: str
    previous_stage: str
    sequence: int = 0
    attempt: int = 1
    external_uuid: UUID | None = None
    error_code: str = ""
    error_message: str = ""
    error_details: Any = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None


class PingEvent(Struct, frozen=True, kw_only=True):
    """``ping``: somebody tried out the endpoint."""

    event: str
    webhook_id: int
    webhook_uuid: UUID
    created_at: datetime | None = None


class OtherEvent(Struct, frozen=True, kw_only=True):
    """An event that a newer service knows and this client does not; answer 2xx and pass it over."""

    event: str
    body: dict[str, Any]


Event: TypeAlias = JobEvent | PingEvent | OtherEvent


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance: float | None = TOLERANCE_SECONDS
) -> Event:
    """Return a webhook request's event.

    The Standard Webhooks signature is checked where there is one, else ``X-DocRefinery-Signature``.

    >>> event = verify_webhook(request.body, request.headers, "whsec_…")
    >>> isinstance(event, JobEvent) and event.status
    'SUCCEEDED'

    :param body: the request's raw body, exactly as it came.
    :param headers: the request's headers; the case of their names does not matter.
    :param secret: the endpoint's secret, as it was registered.
    :param tolerance: seconds by which the time of sending may differ from this machine's; ``None`` takes any.
    :raises InvalidSignature: if the request must not be believed, or its event cannot be read.
    """
    given = verify(body, headers, secret, tolerance=tolerance)
    try:
        match given.get("event"):
            case "job.updated":
                return msgspec.convert(given, JobEvent)
            case "ping":
                return msgspec.convert(given, PingEvent)
            case other:
                return OtherEvent(event=str(other), body=given)
    except msgspec.ValidationError as error:
        raise InvalidSignature(f"The signature is right, but the event cannot be read: {error}.") from None
