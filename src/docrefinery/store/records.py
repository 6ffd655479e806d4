"""Rows as typed structs. JSON columns stay encoded (``Raw``) until somebody reads them."""

from datetime import datetime
from functools import cache
from typing import Any, Protocol, Self, get_type_hints
from uuid import UUID

from msgspec import Raw, Struct

Ref = int | UUID
"""How a caller names an object: its number or its uuid."""
NO_NUMBER = 2**63 - 1
"""In place of a number that no row can have; no row has this one."""


def ref_of(text: str) -> Ref:
    """Read a number or a uuid; a number that no row can have becomes one that no row has.

    :raises ValueError: if it is neither.
    """
    if text.isascii() and text.isdigit():
        return min(int(text), NO_NUMBER) if len(text) < 20 else NO_NUMBER
    return UUID(text)


class Row(Protocol):
    """A row of the driver's, or of Piccolo's."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a column's value."""


class Record(Struct, frozen=True, kw_only=True):
    """Base: a struct with the columns of a query as its fields."""

    @classmethod
    def of(cls, row: Row) -> Self:
        """Build from a row that has every field of the struct; other columns are passed over."""
        values = {name: row[name] for name in cls.__struct_fields__}
        for name in _json_columns(cls):
            if values[name] is not None:
                values[name] = Raw(values[name].encode())
        return cls(**values)


@cache
def _json_columns(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name, hint in get_type_hints(kind).items() if hint in (Raw, Raw | None))


class TenantRecord(Record, frozen=True, kw_only=True):
    """A tenant; a limit that is ``None`` is the installation's, and so is ``encrypt``; 0 hours are for ever."""

    id: int
    uuid: UUID
    name: str
    options: Raw
    default_profile: str | None
    max_upload_mb: int | None
    max_pages: int | None
    max_running_jobs: int | None
    encrypt: bool | None
    keep_files_hours: int | None
    keep_artifacts_hours: int | None
    keep_jobs_hours: int | None
    requests_per_minute: int | None
    max_queued_jobs: int | None
    max_pages_in_flight: int | None
    max_stored_mb: int | None
    created_at: datetime


class VolumeRecord(Record, frozen=True, kw_only=True):
    """What a tenant has stored: documents, and bytes of their files and of artifacts."""

    documents: int
    document_bytes: int
    artifact_bytes: int


class KeyRecord(Record, frozen=True, kw_only=True):
    """An API key with its tenant's defaults, limits and toggles, as authentication needs it."""

    id: int
    uuid: UUID
    tenant_id: int
    tenant_uuid: UUID
    tenant_name: str
    tenant_options: Raw
    tenant_default_profile: str | None
    tenant_max_upload_mb: int | None
    tenant_max_pages: int | None
    tenant_encrypt: bool | None
    tenant_requests_per_minute: int | None
    tenant_max_queued_jobs: int | None
    tenant_max_pages_in_flight: int | None
    tenant_max_stored_mb: int | None
    tenant_disabled_profiles: list[str]
    name: str
    prefix: str
    secret_sha256: bytes
    scopes: list[str]
    options: Raw
    default_profile: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class DocumentRecord(Record, frozen=True, kw_only=True):
    """An uploaded PDF; ``data_key`` is the wrapped secret that its blob is sealed with, if it is."""

    id: int
    uuid: UUID
    tenant_id: int
    external_uuid: UUID | None
    original_filename: str
    sha256: str
    size_bytes: int
    page_count: int | None
    status: str
    blob_key: str
    created_at: datetime
    modified_at: datetime
    deleted_at: datetime | None
    # With defaults, since outcomes of idempotent requests were kept without them by the release before.
    file_expired_at: datetime | None = None
    data_key: bytes | None = None


class JobRecord(Record, frozen=True, kw_only=True):
    """A job with its page progress."""

    id: int
    uuid: UUID
    tenant_id: int
    document_id: int
    external_uuid: UUID | None
    profile: str | None
    options: Raw
    exports: list[str]
    ignored_options: Raw
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
    error_details: Raw | None
    warnings: Raw
    engine: Raw | None
    partial: bool
    failed_pages: list[int]
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    modified_at: datetime
    event_sequence: int


class EventRecord(Record, frozen=True, kw_only=True):
    """A change of a job's status or stage."""

    sequence: int
    attempt: int
    status: str
    stage: str
    previous_status: str
    previous_stage: str
    error_code: str
    error_message: str
    error_details: Raw | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    modified_at: datetime


class ArtifactRecord(Record, frozen=True, kw_only=True):
    """A published result; ``data_key`` as a document's."""

    id: int
    uuid: UUID
    tenant_id: int
    job_id: int
    document_id: int
    kind: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    blob_key: str
    created_at: datetime
    data_key: bytes | None


class WorkRecord(Record, frozen=True, kw_only=True):
    """Base of what a worker has taken, with all it needs to work on it; ``data_key`` is the document's."""

    job_id: int
    job_uuid: UUID
    tenant_id: int
    tenant_uuid: UUID
    token: int
    attempt: int
    options: Raw
    exports: list[str]
    original_filename: str
    blob_key: str
    size_bytes: int
    data_key: bytes | None
    traceparent: str
    request_id: str


class ClaimRecord(WorkRecord, frozen=True, kw_only=True):
    """A job."""

    document_id: int
    queue: str
    profile: str | None
    put_off_seconds: float | None
    queued_seconds: float


class SliceRecord(WorkRecord, frozen=True, kw_only=True):
    """Pages of a job."""

    first_page: int
    last_page: int


class SliceState(Record, frozen=True, kw_only=True):
    """How far pages of a job are: waiting, leased, or with an end."""

    tenant_id: int
    first_page: int
    last_page: int
    reader: str
    owner: UUID | None
    leased: bool
    pages_done: int
    crashes: int
    reason: str
    failure: Raw | None
    blob_key: str | None
    size_bytes: int | None
    data_key: bytes | None


class EndpointRecord(Record, frozen=True, kw_only=True):
    """Where a tenant wants its events sent, without the secret."""

    id: int
    uuid: UUID
    tenant_id: int
    name: str
    url: str
    has_secret: bool
    events: list[str]
    enabled: bool
    disabled_reason: str | None
    created_at: datetime
    modified_at: datetime


class DeliveryRecord(Record, frozen=True, kw_only=True):
    """A line of an endpoint's delivery log."""

    id: int
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


class OutgoingRecord(Record, frozen=True, kw_only=True):
    """A delivery that a worker has taken, with all it needs for the attempt.

    ``secret`` is encrypted. ``tries`` is how many attempts this turn of the schedule had. ``job_id`` and ``sequence``
    name the event to encode where ``body`` is not there yet.
    """

    id: int
    uuid: UUID
    tenant_id: int
    endpoint_id: int
    token: int
    url: str
    secret: bytes | None
    event: str
    job_id: int | None
    sequence: int | None
    body: bytes | None
    tries: int
    traceparent: str
