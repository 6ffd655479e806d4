"""The tables as Piccolo sees them; a test holds them to the migrated database."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.table import Table


class Tenant(Table, tablename="tenants"):
    """A customer of the installation; everything else belongs to one."""

    id = BigInt(primary_key=True)
    uuid = UUID()
    name = Text()
    options = JSONB()
    default_profile = Text(null=True)
    last_claimed_at = Timestamptz()
    created_at = Timestamptz()
    max_upload_mb = Integer(null=True)
    max_pages = Integer(null=True)
    max_running_jobs = Integer(null=True)
    encrypt = Boolean(null=True)
    keep_files_hours = Integer(null=True)
    keep_artifacts_hours = Integer(null=True)
    keep_jobs_hours = Integer(null=True)
    requests_per_minute = Integer(null=True)
    max_queued_jobs = Integer(null=True)
    max_pages_in_flight = Integer(null=True)
    max_stored_mb = Integer(null=True)


class ApiKey(Table, tablename="api_keys"):
    """An API key: its public prefix and the hash of its secret."""

    id = BigInt(primary_key=True)
    uuid = UUID()
    tenant_id = BigInt()
    name = Text()
    prefix = Text()
    secret_sha256 = Bytea()
    scopes = Array(Text())
    options = JSONB()
    default_profile = Text(null=True)
    created_at = Timestamptz()
    expires_at = Timestamptz(null=True)
    revoked_at = Timestamptz(null=True)


class Document(Table, tablename="documents"):
    """An uploaded PDF; ``deleted_at`` marks one whose bytes are gone, ``file_expired_at`` one shown all the same."""

    id = BigInt(primary_key=True)
    uuid = UUID()
    tenant_id = BigInt()
    external_uuid = UUID(null=True)
    original_filename = Text()
    sha256 = Text()
    size_bytes = BigInt()
    page_count = Integer(null=True)
    status = Text()
    blob_key = Text()
    created_at = Timestamptz()
    modified_at = Timestamptz()
    deleted_at = Timestamptz(null=True)
    file_expired_at = Timestamptz(null=True)
    data_key = Bytea(null=True)


class JobView(Table, tablename="job_views"):
    """A job with its page progress, for reading."""

    id = BigInt(primary_key=True)
    uuid = UUID()
    tenant_id = BigInt()
    document_id = BigInt()
    external_uuid = UUID(null=True)
    profile = Text(null=True)
    options = JSONB()
    exports = Array(Text())
    ignored_options = JSONB()
    status = Text()
    stage = Text()
    pages_total = Integer(null=True)
    pages_done = Integer()
    attempt = Integer()
    scan_ms = Integer(null=True)
    convert_ms = Integer(null=True)
    export_ms = Integer(null=True)
    chunk_ms = Integer(null=True)
    error_code = Text()
    error_message = Text()
    error_details = JSONB(null=True)
    warnings = JSONB()
    engine = JSONB(null=True)
    partial = Boolean()
    failed_pages = Array(Integer())
    queued_at = Timestamptz()
    started_at = Timestamptz(null=True)
    finished_at = Timestamptz(null=True)
    created_at = Timestamptz()
    modified_at = Timestamptz()
    event_sequence = Integer()


class Artifact(Table, tablename="artifacts"):
    """A published result of a job."""

    id = BigInt(primary_key=True)
    uuid = UUID()
    tenant_id = BigInt()
    job_id = BigInt()
    document_id = BigInt()
    kind = Text()
    filename = Text()
    content_type = Text()
    size_bytes = BigInt()
    sha256 = Text()
    blob_key = Text()
    created_at = Timestamptz()
    data_key = Bytea(null=True)


class WebhookEndpoint(Table, tablename="webhook_endpoints"):
    """Where a tenant wants its events sent; ``secret`` is encrypted."""

    id = BigInt(primary_key=True)
    uuid = UUID()
    tenant_id = BigInt()
    name = Text()
    url = Text()
    secret = Bytea(null=True)
    has_secret = Boolean()
    events = Array(Text())
    enabled = Boolean()
    disabled_reason = Text(null=True)
    failing_since = Timestamptz(null=True)
    created_at = Timestamptz()
    modified_at = Timestamptz()


class WebhookDelivery(Table, tablename="webhook_deliveries"):
    """An event on its way to an endpoint, or what came of it."""

    id = BigInt(primary_key=True)
    uuid = UUID()
    tenant_id = BigInt()
    endpoint_id = BigInt()
    event = Text()
    job_id = BigInt(null=True)
    sequence = Integer(null=True)
    body = Bytea(null=True)
    ordered = Boolean()
    status = Text()
    attempts = Integer()
    attempts_before = Integer()
    response_status = Integer(null=True)
    error = Text()
    created_at = Timestamptz()
    next_attempt_at = Timestamptz(null=True)
    lease_token = BigInt(null=True)
    delivered_at = Timestamptz(null=True)


TABLES: tuple[type[Table], ...] = (Tenant, ApiKey, Document, JobView, Artifact, WebhookEndpoint, WebhookDelivery)
