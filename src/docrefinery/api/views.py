"""What goes out: one struct a resource, never a row."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Generic, Literal, Self, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from docrefinery.model import JOB_UPDATED
from docrefinery.store.dashboard import WorkerRecord
from docrefinery.store.records import ArtifactRecord, DeliveryRecord, DocumentRecord, EndpointRecord, JobRecord

T = TypeVar("T")


class Listing(Struct, Generic[T], frozen=True):
    """One page of a list, with links to its neighbours."""

    next: str | None
    previous: str | None
    results: list[T]


def _pick(view: type[Struct], record: Struct, **more: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _shared(view, type(record))} | more


@cache
def _shared(view: type[Struct], record: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name in view.__struct_fields__ if name in record.__struct_fields__)


class DocumentView(Struct, frozen=True, kw_only=True):
    """An uploaded PDF. `document_id` is `id` again; `job_id` is there when the upload started a job.

    `file_expired_at` is there when the file has been removed after its time.
    """

    id: int
    document_id: int
    uuid: UUID
    external_uuid: UUID | None
    original_filename: str
    sha256: str
    size_bytes: int
    page_count: int | None
    status: str
    created_at: datetime
    modified_at: datetime
    job_id: int | UnsetType = UNSET
    file_expired_at: datetime | UnsetType = UNSET

    @classmethod
    def of(cls, record: DocumentRecord, job_id: int | None = None) -> Self:
        """Show a document."""
        more = {"job_id": UNSET if job_id is None else job_id, "file_expired_at": record.file_expired_at or UNSET}
        return cls(**_pick(cls, record, document_id=record.id, **more))


class WarningView(Struct, frozen=True):
    """Something to know about a job that did not fail because of it."""

    code: str
    message: str


class JobView(Struct, frozen=True, kw_only=True):
    """The processing of a document: what was asked, how far it is, what came of it."""

    id: int
    uuid: UUID
    document_id: int
    external_uuid: UUID | None
    profile: str | None
    options: dict[str, Any]
    exports: list[str]
    ignored_options: dict[str, Any]
    status: str
    stage: str
    pages_total: int | None
    pages_done: int
    attempt: int
    scan_ms: int | None
    convert_ms: int | None
    export_ms: int | None
    chunk_ms: int | None
    error_code: str
    error_message: str
    error_details_json: Any
    warnings: list[WarningView]
    engine: dict[str, Any] | None
    partial: bool
    failed_pages: list[int]
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    modified_at: datetime

    @classmethod
    def of(cls, record: JobRecord) -> Self:
        """Show a job; its JSON columns go out as they are stored."""
        return cls(**_pick(cls, record, error_details_json=record.error_details))


class ArtifactView(Struct, frozen=True, kw_only=True):
    """A result of a job; its bytes are at `/v1/artifacts/{id}/`."""

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

    @classmethod
    def of(cls, record: ArtifactRecord) -> Self:
        """Show an artifact."""
        return cls(**_pick(cls, record))


class WebhookView(Struct, frozen=True, kw_only=True):
    """A webhook endpoint; its secret is never shown. `disabled_reason` is there if the service disabled it."""

    id: int
    uuid: UUID
    name: str
    url: str
    events: list[str]
    enabled: bool
    has_secret: bool
    disabled_reason: str | None
    created_at: datetime
    modified_at: datetime

    @classmethod
    def of(cls, record: EndpointRecord) -> Self:
        """Show an endpoint."""
        return cls(**_pick(cls, record))


class DeliveryView(Struct, frozen=True, kw_only=True):
    """An event on its way to a webhook endpoint, or what came of it; `uuid` is its `webhook-id`."""

    uuid: UUID
    event: str
    job_id: int | None
    status: str
    attempts: int
    response_status: int | None
    error: str
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None

    @classmethod
    def of(cls, record: DeliveryRecord) -> Self:
        """Show a delivery."""
        return cls(**_pick(cls, record))


class ProfileView(Struct, frozen=True, kw_only=True):
    """A way to convert, and whether all it asks for can be had here.

    A profile that is not `available` can be used all the same: its jobs say in `warnings` what was left out.
    """

    name: str
    summary: str
    enabled: bool
    exports: list[str]
    options: dict[str, Any]
    engine: str
    available: bool
    missing: list[str]


class WorkerView(Struct, frozen=True, kw_only=True):
    """A worker process; `current_job_id` is there for a job of your own, `rss_bytes` covers its converter too.

    `profiles` are those whose jobs it takes, `models` the name and revision of each of Docling's models that it holds.
    """

    id: UUID
    hostname: str
    pid: int
    status: str
    queues: list[str]
    profiles: list[str]
    models: dict[str, str]
    current_job_id: int | None
    started_at: datetime
    last_heartbeat_at: datetime
    jobs_done: int
    rss_bytes: int
    version: str

    @classmethod
    def of(cls, record: WorkerRecord) -> Self:
        """Show a worker."""
        return cls(**_pick(cls, record))


class ExporterView(Struct, frozen=True, kw_only=True):
    """A kind of artifact, and the plugin that makes it."""

    kind: str
    summary: str
    content_type: str
    plugin: str
    version: str


class HealthView(Struct, frozen=True):
    """The process answers, and with which versions."""

    status: str
    version: str
    docling_version: str | None


class JobRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to process an uploaded document. `options_json` is an object, or a string of one."""

    document_id: int | str
    profile: str | None = None
    options_json: Any = None
    external_uuid: UUID | None = None


class PlanRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would be asked of a document. `options_json` is an object, or a string of one."""

    profile: str | None = None
    options_json: Any = None


class PlanView(Struct, frozen=True, kw_only=True):
    """What a request comes to with all defaults and caps, spelled as a job with it would be."""

    profile: str | None
    options: dict[str, Any]
    exports: list[str]
    ignored_options: dict[str, Any]


WebhookName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
WebhookUrl = Annotated[str, Meta(min_length=1, max_length=2048, extra_json_schema={"pattern": "^https?://"})]
WebhookSecret = Annotated[str, Meta(min_length=1, max_length=1024)]
WebhookEvents = Annotated[tuple[Literal["job.updated"], ...], Meta(min_length=1)]


class WebhookRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook endpoint to register, or to put in the place of another."""

    name: WebhookName
    url: WebhookUrl
    secret: WebhookSecret | None = None
    events: WebhookEvents = (JOB_UPDATED,)
    enabled: bool = True


class WebhookPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change about a webhook endpoint; a `secret` of null removes it."""

    name: WebhookName | UnsetType = UNSET
    url: WebhookUrl | UnsetType = UNSET
    secret: WebhookSecret | UnsetType | None = UNSET
    events: WebhookEvents | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


encode = msgspec.json.Encoder().encode
