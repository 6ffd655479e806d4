"""A client of DocumentRefinery: :class:`Client`, and :class:`AsyncClient` for asyncio. See ``docs/client.md``.

>>> from docrefinery.client import Client
>>> with Client("https://refinery.example", api_key="dr_…") as client:
...     markdown = client.convert("report.pdf")["markdown"]
"""

from docrefinery.client.asynchronous import AsyncClient
from docrefinery.client.connection import Patience
from docrefinery.client.errors import (
    ApiError,
    Busy,
    ClientError,
    ConfigurationError,
    Conflict,
    Damaged,
    DuplicateDocument,
    Existing,
    Expired,
    FieldProblem,
    FileChanged,
    InvalidRequest,
    JobFailed,
    MissingArtifacts,
    NotAuthorized,
    NotFound,
    Problem,
    ServiceFailed,
    Unreachable,
    WaitTimeout,
)
from docrefinery.client.resources import Artifact, Delivery, Document, Exporter, Job, Plan, Profile, Warned, Webhook
from docrefinery.client.sync import Client
from docrefinery.client.webhooks import Event, InvalidSignature, JobEvent, OtherEvent, PingEvent, verify_webhook

__all__ = [
    "ApiError",
    "Artifact",
    "AsyncClient",
    "Busy",
    "Client",
    "ClientError",
    "ConfigurationError",
    "Conflict",
    "Damaged",
    "Delivery",
    "Document",
    "DuplicateDocument",
    "Event",
    "Existing",
    "Expired",
    "Exporter",
    "FieldProblem",
    "FileChanged",
    "InvalidRequest",
    "InvalidSignature",
    "Job",
    "JobEvent",
    "JobFailed",
    "MissingArtifacts",
    "NotAuthorized",
    "NotFound",
    "OtherEvent",
    "Patience",
    "PingEvent",
    "Plan",
    "Problem",
    "Profile",
    "ServiceFailed",
    "Unreachable",
    "WaitTimeout",
    "Warned",
    "Webhook",
    "verify_webhook",
]
