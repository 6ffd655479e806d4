"""The first schema as SQL: what Piccolo's columns cannot say (checks, partial indexes, triggers) lives here too."""

TABLES = (
    """
CREATE TABLE tenants (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    options jsonb NOT NULL DEFAULT '{}',
    default_profile text,
    last_claimed_at timestamptz NOT NULL DEFAULT '-infinity',
    created_at timestamptz NOT NULL DEFAULT now()
)""",
    # A row of its own, since every change of a tenant's jobs locks it until commit (see the trigger below).
    """
CREATE TABLE tenant_clocks (
    tenant_id bigint PRIMARY KEY REFERENCES tenants,
    ticked_at timestamptz NOT NULL DEFAULT now()
)""",
    """
CREATE TABLE api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    tenant_id bigint NOT NULL REFERENCES tenants,
    name text NOT NULL DEFAULT '',
    prefix text NOT NULL UNIQUE,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    scopes text[] NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    default_profile text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
)""",
    """
CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE,
    tenant_id bigint NOT NULL REFERENCES tenants,
    external_uuid uuid,
    original_filename text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    page_count integer CHECK (page_count > 0),
    status text NOT NULL DEFAULT 'UPLOADED'
        CHECK (status IN ('UPLOADED', 'PROCESSING', 'READY', 'FAILED', 'QUARANTINED')),
    blob_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    modified_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    UNIQUE (tenant_id, id)
)""",
    """
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    tenant_id bigint NOT NULL REFERENCES tenants,
    document_id bigint NOT NULL,
    external_uuid uuid,
    queue text NOT NULL DEFAULT 'convert',
    profile text,
    options jsonb NOT NULL DEFAULT '{}',
    exports text[] NOT NULL DEFAULT '{}',
    ignored_options jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'QUEUED'
        CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'QUARANTINED')),
    stage text NOT NULL DEFAULT 'SCANNING'
        CHECK (stage IN ('SCANNING', 'CONVERTING', 'EXPORTING', 'CHUNKING', 'FINALIZING')),
    attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    crashes integer NOT NULL DEFAULT 0,
    pages_total integer,
    pages_done integer NOT NULL DEFAULT 0,
    scan_ms integer,
    convert_ms integer,
    export_ms integer,
    chunk_ms integer,
    error_code text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    error_details jsonb,
    warnings jsonb NOT NULL DEFAULT '[]',
    engine jsonb,
    partial boolean NOT NULL DEFAULT false,
    failed_pages integer[] NOT NULL DEFAULT '{}',
    event_sequence integer NOT NULL DEFAULT 0,
    cancel_requested_at timestamptz,
    not_before timestamptz NOT NULL DEFAULT '-infinity',
    put_off_since timestamptz,
    traceparent text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    queued_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    modified_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id),
    CHECK ((finished_at IS NULL) = (status IN ('QUEUED', 'RUNNING'))),
    CHECK (status NOT IN ('FAILED', 'QUARANTINED') OR error_code <> '')
)""",
    # Keyed by the first page as well, so that slices of one document can be leased to different workers.
    """
CREATE TABLE leases (
    job_id bigint NOT NULL REFERENCES jobs,
    first_page integer NOT NULL DEFAULT 1 CHECK (first_page > 0),
    last_page integer,
    owner uuid NOT NULL,
    token bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    pages_done integer NOT NULL DEFAULT 0,
    pages_total integer,
    PRIMARY KEY (job_id, first_page)
) WITH (fillfactor = 50)""",
    "CREATE SEQUENCE lease_tokens",
    """
CREATE TABLE job_events (
    job_id bigint NOT NULL REFERENCES jobs,
    sequence integer NOT NULL,
    attempt integer NOT NULL,
    status text NOT NULL,
    stage text NOT NULL,
    previous_status text NOT NULL,
    previous_stage text NOT NULL,
    error_code text NOT NULL,
    error_message text NOT NULL,
    error_details jsonb,
    queued_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    modified_at timestamptz NOT NULL,
    PRIMARY KEY (job_id, sequence)
)""",
    """
CREATE TABLE artifacts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    tenant_id bigint NOT NULL REFERENCES tenants,
    job_id bigint NOT NULL REFERENCES jobs,
    document_id bigint NOT NULL,
    kind text NOT NULL,
    filename text NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    blob_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id),
    UNIQUE (job_id, kind)
)""",
    """
CREATE TABLE workers (
    id uuid PRIMARY KEY,
    hostname text NOT NULL,
    pid integer NOT NULL,
    status text NOT NULL CHECK (status IN ('IDLE', 'BUSY', 'STOPPING')),
    queues text[] NOT NULL,
    current_job_id bigint,
    started_at timestamptz NOT NULL DEFAULT now(),
    last_heartbeat_at timestamptz NOT NULL DEFAULT now(),
    jobs_done bigint NOT NULL DEFAULT 0,
    rss_bytes bigint NOT NULL DEFAULT 0,
    version text NOT NULL
)""",
    """
CREATE TABLE idempotency_records (
    tenant_id bigint NOT NULL REFERENCES tenants,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    outcome jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
)""",
    # Written before a blob is, deleted in the transaction that refers to the blob: what stays is garbage.
    """
CREATE TABLE unreferenced_blobs (
    prefix text PRIMARY KEY,
    removable_at timestamptz NOT NULL
)""",
)

INDEXES = (
    "CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id)",
    "CREATE UNIQUE INDEX documents_dedupe ON documents (tenant_id, sha256) WHERE deleted_at IS NULL",
    "CREATE INDEX documents_status ON documents (tenant_id, status, id)",
    "CREATE INDEX documents_external ON documents (tenant_id, external_uuid, id)",
    "CREATE INDEX documents_created ON documents (tenant_id, created_at)",
    "CREATE INDEX jobs_tenant ON jobs (tenant_id, id)",
    "CREATE INDEX jobs_status ON jobs (tenant_id, status, id)",
    "CREATE INDEX jobs_stage ON jobs (tenant_id, stage, id)",
    "CREATE INDEX jobs_profile ON jobs (tenant_id, profile, id)",
    "CREATE INDEX jobs_document ON jobs (tenant_id, document_id, id)",
    "CREATE INDEX jobs_external ON jobs (tenant_id, external_uuid, id)",
    "CREATE INDEX jobs_created ON jobs (tenant_id, created_at)",
    "CREATE INDEX jobs_modified ON jobs (tenant_id, modified_at, id)",
    "CREATE INDEX jobs_claim ON jobs (tenant_id, queue, id) WHERE status = 'QUEUED'",
    "CREATE INDEX jobs_running ON jobs (tenant_id) WHERE status = 'RUNNING'",
    "CREATE INDEX leases_expiry ON leases (expires_at)",
    "CREATE INDEX artifacts_tenant ON artifacts (tenant_id, id)",
    "CREATE INDEX artifacts_document ON artifacts (tenant_id, document_id, id)",
    "CREATE INDEX artifacts_kind ON artifacts (tenant_id, kind, id)",
    "CREATE INDEX idempotency_age ON idempotency_records (created_at)",
    "CREATE INDEX unreferenced_age ON unreferenced_blobs (removable_at)",
)

TRIGGERS = (
    """
CREATE FUNCTION tenant_gets_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tenant_clocks (tenant_id) VALUES (NEW.id);
    RETURN NULL;
END $$""",
    "CREATE TRIGGER tenant_clock AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION tenant_gets_clock()",
    # The tenant's clock row stays locked until commit, so modified_at rises in the order of commits: a reader who has
    # seen a job has seen every job of the tenant with an earlier modified_at (docs/decisions/0002).
    """
CREATE FUNCTION job_ticks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tenant_clocks SET ticked_at = greatest(clock_timestamp(), ticked_at + interval '1 microsecond')
        WHERE tenant_id = NEW.tenant_id RETURNING ticked_at INTO NEW.modified_at;
    IF TG_OP = 'INSERT' THEN
        NEW.created_at := NEW.modified_at;
        NEW.queued_at := NEW.modified_at;
    ELSIF NEW.status <> OLD.status AND OLD.status || '>' || NEW.status <> ALL (ARRAY[
            'QUEUED>RUNNING', 'QUEUED>CANCELED', 'RUNNING>QUEUED', 'RUNNING>SUCCEEDED', 'RUNNING>FAILED',
            'RUNNING>CANCELED', 'RUNNING>QUARANTINED', 'FAILED>QUEUED', 'QUARANTINED>QUEUED']) THEN
        RAISE check_violation USING MESSAGE = 'a job does not go from ' || OLD.status || ' to ' || NEW.status;
    ELSIF (NEW.status, NEW.stage) IS DISTINCT FROM (OLD.status, OLD.stage) THEN
        NEW.event_sequence := OLD.event_sequence + 1;
    END IF;
    RETURN NEW;
END $$""",
    "CREATE TRIGGER job_ticks BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION job_ticks()",
    """
CREATE FUNCTION job_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.event_sequence <> OLD.event_sequence THEN
        INSERT INTO job_events (job_id, sequence, attempt, status, stage, previous_status, previous_stage, error_code,
                                error_message, error_details, queued_at, started_at, finished_at, modified_at)
        VALUES (NEW.id, NEW.event_sequence, NEW.attempt, NEW.status, NEW.stage, OLD.status, OLD.stage, NEW.error_code,
                NEW.error_message, NEW.error_details, NEW.queued_at, NEW.started_at, NEW.finished_at, NEW.modified_at);
    END IF;
    PERFORM pg_notify('job_changed', NEW.id::text);
    IF NEW.status = 'RUNNING' AND NEW.cancel_requested_at IS NOT NULL THEN
        PERFORM pg_notify('cancel_requested', NEW.id::text);
    END IF;
    RETURN NULL;
END $$""",
    "CREATE TRIGGER job_tells AFTER INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION job_tells()",
    """
CREATE FUNCTION lease_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('job_changed', NEW.job_id::text);
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER lease_tells AFTER UPDATE ON leases FOR EACH ROW
    WHEN ((NEW.pages_done, NEW.pages_total) IS DISTINCT FROM (OLD.pages_done, OLD.pages_total))
    EXECUTE FUNCTION lease_tells()""",
    """
CREATE FUNCTION key_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('keys_changed', '');
    RETURN NULL;
END $$""",
    "CREATE TRIGGER key_tells AFTER UPDATE OR DELETE ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION key_tells()",
    """
CREATE TRIGGER tenant_tells AFTER UPDATE OF name, options, default_profile ON tenants
    FOR EACH STATEMENT EXECUTE FUNCTION key_tells()""",
)

VIEWS = (
    # What the API shows of a job: page progress comes from the leases while it runs.
    """
CREATE VIEW job_views WITH (security_invoker = true) AS
SELECT j.id, j.uuid, j.tenant_id, j.document_id, j.external_uuid, j.profile, j.options, j.exports, j.ignored_options,
       j.status, j.stage, coalesce(l.pages_total, j.pages_total) AS pages_total,
       coalesce(l.pages_done, j.pages_done) AS pages_done, j.attempt, j.scan_ms, j.convert_ms, j.export_ms,
       j.chunk_ms, j.error_code, j.error_message, j.error_details, j.warnings, j.engine, j.partial, j.failed_pages,
       j.queued_at, j.started_at, j.finished_at, j.created_at, j.modified_at, j.event_sequence
FROM jobs j LEFT JOIN LATERAL (
    SELECT sum(pages_done)::integer AS pages_done, sum(pages_total)::integer AS pages_total
    FROM leases WHERE leases.job_id = j.id) l ON j.status = 'RUNNING'""",
)

STATEMENTS = (*TABLES, *INDEXES, *TRIGGERS, *VIEWS)
