"""Webhooks as SQL: endpoints, the outbox of deliveries, and what happens with every change of a job or a delivery."""

TABLES = (
    """
CREATE TABLE webhook_endpoints (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    tenant_id bigint NOT NULL REFERENCES tenants,
    name text NOT NULL CHECK (name <> ''),
    url text NOT NULL,
    secret bytea,
    has_secret boolean NOT NULL GENERATED ALWAYS AS (secret IS NOT NULL) STORED,
    events text[] NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    disabled_reason text CHECK (disabled_reason IS NULL OR NOT enabled),
    failing_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    modified_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id)
)""",
    # next_attempt_at: null while the delivery waits for an earlier one of its job, and after its end; the end of the
    # lease while an attempt is under way (lease_token is set). Pings and redeliveries are not ordered.
    """
CREATE TABLE webhook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    tenant_id bigint NOT NULL REFERENCES tenants,
    endpoint_id bigint NOT NULL,
    event text NOT NULL,
    job_id bigint REFERENCES jobs ON DELETE CASCADE,
    sequence integer,
    body bytea,
    ordered boolean NOT NULL DEFAULT true,
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED')),
    attempts integer NOT NULL DEFAULT 0,
    attempts_before integer NOT NULL DEFAULT 0,
    response_status integer,
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz DEFAULT now(),
    lease_token bigint,
    delivered_at timestamptz,
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (job_id, sequence) REFERENCES job_events ON DELETE CASCADE,
    CHECK ((job_id IS NULL) = (sequence IS NULL)),
    CHECK (body IS NOT NULL OR job_id IS NOT NULL),
    CHECK (NOT ordered OR job_id IS NOT NULL),
    CHECK (status = 'PENDING' OR next_attempt_at IS NULL),
    CHECK ((delivered_at IS NOT NULL) = (status = 'DELIVERED'))
)""",
)

INDEXES = (
    "CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id)",
    """
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at)
    WHERE status = 'PENDING' AND next_attempt_at IS NOT NULL""",
    "CREATE INDEX webhook_deliveries_order ON webhook_deliveries (endpoint_id, job_id, id) WHERE status = 'PENDING'",
    "CREATE INDEX webhook_deliveries_job ON webhook_deliveries (job_id, sequence)",
    "CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at) WHERE status <> 'PENDING'",
)

TRIGGERS = (
    # As in the first schema, and a delivery for each endpoint that wants the event. The endpoint stays locked until
    # commit, so that nobody disables it meanwhile; the last delivery before this one stays locked as well, so that its
    # end is either seen here or sees this one.
    """
CREATE OR REPLACE FUNCTION job_tells() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    endpoint bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.event_sequence <> OLD.event_sequence THEN
        INSERT INTO job_events (job_id, sequence, attempt, status, stage, previous_status, previous_stage, error_code,
                                error_message, error_details, queued_at, started_at, finished_at, modified_at)
        VALUES (NEW.id, NEW.event_sequence, NEW.attempt, NEW.status, NEW.stage, OLD.status, OLD.stage, NEW.error_code,
                NEW.error_message, NEW.error_details, NEW.queued_at, NEW.started_at, NEW.finished_at, NEW.modified_at);
        FOR endpoint IN SELECT id FROM webhook_endpoints
                WHERE tenant_id = NEW.tenant_id AND enabled AND 'job.updated' = ANY (events) ORDER BY id FOR SHARE LOOP
            PERFORM FROM webhook_deliveries
                WHERE endpoint_id = endpoint AND job_id = NEW.id AND status = 'PENDING' AND ordered
                ORDER BY id DESC LIMIT 1 FOR UPDATE;
            INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event, job_id, sequence, next_attempt_at)
            VALUES (NEW.tenant_id, endpoint, 'job.updated', NEW.id, NEW.event_sequence,
                    CASE WHEN NOT FOUND THEN now() END);
        END LOOP;
    END IF;
    PERFORM pg_notify('job_changed', NEW.id::text);
    IF NEW.status = 'RUNNING' AND NEW.cancel_requested_at IS NOT NULL THEN
        PERFORM pg_notify('cancel_requested', NEW.id::text);
    END IF;
    RETURN NULL;
END $$""",
    """
CREATE FUNCTION delivery_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('webhooks_due', '');
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER delivery_tells AFTER INSERT OR UPDATE OF next_attempt_at ON webhook_deliveries FOR EACH ROW
    WHEN (NEW.status = 'PENDING' AND NEW.next_attempt_at <= now()) EXECUTE FUNCTION delivery_tells()""",
    # The next event of the job is due now.
    """
CREATE FUNCTION delivery_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook_deliveries SET next_attempt_at = now() WHERE next_attempt_at IS NULL AND id = (
        SELECT id FROM webhook_deliveries
        WHERE endpoint_id = NEW.endpoint_id AND job_id = NEW.job_id AND status = 'PENDING' AND ordered AND id > NEW.id
        ORDER BY id LIMIT 1);
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER delivery_ends AFTER UPDATE OF status ON webhook_deliveries FOR EACH ROW
    WHEN (OLD.status = 'PENDING' AND NEW.status <> 'PENDING' AND NEW.ordered) EXECUTE FUNCTION delivery_ends()""",
)

STATEMENTS = (*TABLES, *INDEXES, *TRIGGERS)
