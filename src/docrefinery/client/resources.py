"""What the service answers with, as typed structs; fields that a newer service adds are passed over."""

from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from msgspec import Struct

T = TypeVar("T")

SUCCEEDED = "SUCCEEDED"
FINISHED = frozenset({SUCCEEDED, "FAILED", "CANCELED", "QUARANTINED"})


class Document(Struct, frozen=True, kw_only=True):
    """An uploaded PDF; ``job_id`` is there when its upload started a job, ``file_expired_at`` when its file is gone."""

    id: int
    uuid: UUID
    original_filename: str
    sha256: str
    size_bytes: int
    status: str
    created_at: datetime
    modified_at: datetime
    external_uuid: UUID | None = None
    page_count: int | None = None
    job_id: int | None = None
    file_expired_at: datetime | None = None


class Warned(Struct, frozen=True):
    """Something to know about a job that did not fail because of it."""

    code: str
    message: str


class Job(Struct, frozen=True, kw_only=True):
    """The processing of a document: what was asked, how far it is (``stage``, pages), what came of it."""

    id: int
    uuid: UUID
    document_id: int
    status: str
    stage: str
    created_at: datetime
    modified_at: datetime
    external_uuid: UUID | None = None
    profile: str | None = None
    options: dict[str, Any] = {}
    exports: list[str] = []
    ignored_options: dict[str, Any] = {}
    pages_total: int | None = None
    pages_done: int = 0
    attempt: int = 1
    scan_ms: int | None = None
    convert_ms: int | None = None
    export_ms: int | None = None
    chunk_ms: int | None = None
    error_code: str = ""
    error_message: str = ""
    error_details_json: Any = None
    warnings: list[Warned] = []
    engine: dict[str, Any] | None = None
    partial: bool = False
    failed_pages: list[int] = []
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more happens to it unless somebody retries it."""
        return self.status in FINISHED

    @property
    def succeeded(self) -> bool:
        """Whether it has results."""
        return self.status == SUCCEEDED


class Plan(Struct, frozen=True, kw_only=True):
    """What a request comes to with all defaults and caps: what the job that it makes would have."""

    profile: str | None = None
    options: dict[str, Any] = {}
    exports: list[str] = []
    ignored_options: dict[str, Any] = {}


class Artifact(Struct, frozen=True, kw_only=True):
    """A result of a job; ``sha256`` is that of its bytes."""

    id: int
    uuid: UUID
    job_id: int
    document_id: int
    kind: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime


class Webhook(Struct, frozen=True, kw_only=True):
    """A webhook endpoint; its secret is never shown."""

    id: int
    uuid: UUID
    name: str
    url: str
    events: list[str]
    enabled: bool
    has_secret: bool
    created_at: datetime
    modified_at: datetime
    disabled_reason: str | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """An event on its way to a webhook endpoint, or what came of it; ``uuid`` is its ``webhook-id``."""

    uuid: UUID
    event: str
    status: str
    attempts: int
    created_at: datetime
    job_id: int | None = None
    response_status: int | None = None
    error: str = ""
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None


class Profile(Struct, frozen=True, kw_only=True):
    """A way to convert; ``missing`` says what it would need here and does not find."""

    name: str
    summary: str
    enabled: bool
    exports: list[str]
    options: dict[str, Any] = {}
    engine: str = ""
    available: bool = True
    missing: list[str] = []


class Exporter(Struct, frozen=True, kw_only=True):
    """A kind of artifact, and the plugin that makes it."""

    kind: str
    summary: str
    content_type: str
    plugin: str = ""
    version: str = ""


class Page(Struct, Generic[T], frozen=True):
    """One page of a list."""

    results: list[T]
    next: str | None = None
