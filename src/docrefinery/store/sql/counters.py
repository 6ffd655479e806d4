"""Counts that are kept as things happen, so that nobody has to count a million rows (docs/decisions/0009)."""

from docrefinery.store.sql import quotas

STAGE_BOUNDS_MS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000)
"""Upper bounds of the buckets of stage times; bucket n holds what is above bound n - 1 and not above bound n."""
_BOUNDS = ", ".join(map(str, STAGE_BOUNDS_MS))

TABLES = (
    """
CREATE TABLE tenant_job_counts (
    tenant_id bigint NOT NULL REFERENCES tenants,
    status text NOT NULL,
    stage text NOT NULL,
    profile text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (tenant_id, status, stage, profile)
) WITH (fillfactor = 50)""",
    """
CREATE TABLE tenant_finished_jobs (
    tenant_id bigint NOT NULL REFERENCES tenants,
    profile text NOT NULL,
    status text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (tenant_id, profile, status)
) WITH (fillfactor = 50)""",
    """
CREATE TABLE tenant_finished_minutes (
    tenant_id bigint NOT NULL REFERENCES tenants,
    minute timestamptz NOT NULL,
    finished bigint NOT NULL,
    failed bigint NOT NULL,
    PRIMARY KEY (tenant_id, minute)
)""",
    "CREATE INDEX tenant_finished_minutes_age ON tenant_finished_minutes (minute)",
    """
CREATE TABLE tenant_stage_times (
    tenant_id bigint NOT NULL REFERENCES tenants,
    stage text NOT NULL,
    bucket integer NOT NULL,
    n bigint NOT NULL,
    total_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, stage, bucket)
) WITH (fillfactor = 50)""",
    # What is there now, and what has come in all.
    """
CREATE TABLE tenant_volumes (
    tenant_id bigint PRIMARY KEY REFERENCES tenants,
    documents bigint NOT NULL DEFAULT 0,
    document_bytes bigint NOT NULL DEFAULT 0,
    artifact_bytes bigint NOT NULL DEFAULT 0,
    documents_received bigint NOT NULL DEFAULT 0,
    bytes_received bigint NOT NULL DEFAULT 0,
    pages_converted bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50)""",
    # A row for each of sixteen connections, so that transactions that count the same thing seldom wait for each other.
    """
CREATE TABLE counters (
    name text NOT NULL,
    label text NOT NULL,
    shard smallint NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (name, label, shard)
) WITH (fillfactor = 50)""",
    "CREATE INDEX jobs_finished ON jobs (tenant_id, finished_at) WHERE finished_at IS NOT NULL",
)

FUNCTIONS = (
    f"""
CREATE FUNCTION stage_bucket(ms integer) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN width_bucket(ms - 1, ARRAY[{_BOUNDS}])""",
    # Every change of a job holds its tenant's clock until commit (docs/decisions/0002), so the tenant's counts are
    # changed by one transaction at a time and nobody waits here who would not have waited there.
    """
CREATE FUNCTION job_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM FROM tenant_clocks WHERE tenant_id = OLD.tenant_id FOR UPDATE;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE tenant_job_counts SET n = n - 1
        WHERE tenant_id = OLD.tenant_id AND status = OLD.status AND stage = OLD.stage
              AND profile = coalesce(OLD.profile, '');
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO tenant_job_counts AS c (tenant_id, status, stage, profile, n)
        VALUES (NEW.tenant_id, NEW.status, NEW.stage, coalesce(NEW.profile, ''), 1)
        ON CONFLICT (tenant_id, status, stage, profile) DO UPDATE SET n = c.n + 1;
    END IF;
    RETURN NULL;
END $$""",
    """
CREATE FUNCTION job_finishes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tenant_finished_jobs AS f (tenant_id, profile, status, n)
    VALUES (NEW.tenant_id, coalesce(NEW.profile, ''), NEW.status, 1)
    ON CONFLICT (tenant_id, profile, status) DO UPDATE SET n = f.n + 1;
    INSERT INTO tenant_finished_minutes AS m (tenant_id, minute, finished, failed)
    VALUES (NEW.tenant_id, date_trunc('minute', NEW.finished_at), 1, (NEW.status = 'FAILED')::integer)
    ON CONFLICT (tenant_id, minute) DO UPDATE SET finished = m.finished + 1, failed = m.failed + excluded.failed;
    INSERT INTO tenant_stage_times AS t (tenant_id, stage, bucket, n, total_ms)
    SELECT NEW.tenant_id, s.stage, stage_bucket(s.ms), 1, s.ms
    FROM (VALUES ('scan', NEW.scan_ms), ('convert', NEW.convert_ms), ('export', NEW.export_ms),
                 ('chunk', NEW.chunk_ms)) s (stage, ms) WHERE s.ms IS NOT NULL
    ON CONFLICT (tenant_id, stage, bucket) DO UPDATE SET n = t.n + 1, total_ms = t.total_ms + excluded.total_ms;
    IF NEW.status = 'SUCCEEDED' THEN
        UPDATE tenant_volumes SET pages_converted = pages_converted + NEW.pages_done WHERE tenant_id = NEW.tenant_id;
    END IF;
    RETURN NULL;
END $$""",
    """
CREATE FUNCTION document_counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_new integer := (TG_OP = 'INSERT')::integer;
    was_there integer := (TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL)::integer;
    is_there integer := (TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL)::integer;
    size bigint := coalesce(NEW.size_bytes, OLD.size_bytes);
BEGIN
    UPDATE tenant_volumes
    SET documents = documents + is_there - was_there,
        document_bytes = document_bytes + (is_there - was_there) * size,
        documents_received = documents_received + is_new,
        bytes_received = bytes_received + is_new * size
    WHERE tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id);
    RETURN NULL;
END $$""",
    """
CREATE FUNCTION artifact_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tenant_volumes
    SET artifact_bytes = artifact_bytes + coalesce(NEW.size_bytes, 0) - coalesce(OLD.size_bytes, 0)
    WHERE tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id);
    RETURN NULL;
END $$""",
    """
CREATE FUNCTION tenant_gets_volume() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tenant_volumes (tenant_id) VALUES (NEW.id);
    RETURN NULL;
END $$""",
)

TRIGGERS = (
    "CREATE TRIGGER tenant_volume AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION tenant_gets_volume()",
    "CREATE TRIGGER job_counts AFTER INSERT OR DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION job_counts()",
    """
CREATE TRIGGER job_recounts AFTER UPDATE OF status, stage, profile ON jobs FOR EACH ROW
    WHEN ((NEW.status, NEW.stage, NEW.profile) IS DISTINCT FROM (OLD.status, OLD.stage, OLD.profile))
    EXECUTE FUNCTION job_counts()""",
    """
CREATE TRIGGER job_finishes AFTER UPDATE OF status ON jobs FOR EACH ROW
    WHEN (NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL) EXECUTE FUNCTION job_finishes()""",
    """
CREATE TRIGGER finished_job_comes AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION job_finishes()""",
    # Deferred to the commit: uploads and deletions, which do not hold the tenant's clock, lock the volumes after
    # everything else. `job_finishes` locks them under the clock, when its document and lease are held already.
    """
CREATE CONSTRAINT TRIGGER document_counts AFTER INSERT OR DELETE OR UPDATE OF deleted_at ON documents
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION document_counts()""",
    """
CREATE CONSTRAINT TRIGGER artifact_counts AFTER INSERT OR DELETE ON artifacts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION artifact_counts()""",
)

COUNT_WHAT_IS_THERE = (
    """
INSERT INTO tenant_job_counts (tenant_id, status, stage, profile, n)
SELECT tenant_id, status, stage, coalesce(profile, ''), count(*) FROM jobs GROUP BY 1, 2, 3, 4""",
    """
INSERT INTO tenant_finished_jobs (tenant_id, profile, status, n)
SELECT tenant_id, coalesce(profile, ''), status, count(*) FROM jobs WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3""",
    """
INSERT INTO tenant_finished_minutes (tenant_id, minute, finished, failed)
SELECT tenant_id, date_trunc('minute', finished_at), count(*), count(*) FILTER (WHERE status = 'FAILED')
FROM jobs WHERE finished_at > now() - interval '25 hours' GROUP BY 1, 2""",
    """
INSERT INTO tenant_stage_times (tenant_id, stage, bucket, n, total_ms)
SELECT tenant_id, s.stage, stage_bucket(s.ms), count(*), sum(s.ms)
FROM jobs CROSS JOIN LATERAL (VALUES ('scan', scan_ms), ('convert', convert_ms), ('export', export_ms),
                                     ('chunk', chunk_ms)) s (stage, ms)
WHERE finished_at IS NOT NULL AND s.ms IS NOT NULL GROUP BY 1, 2, 3""",
    """
INSERT INTO tenant_volumes (tenant_id, documents, document_bytes, artifact_bytes, documents_received, bytes_received,
                            pages_converted)
SELECT t.id, d.n, d.bytes, a.bytes, d.received, d.bytes_received, j.pages
FROM tenants t
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS n,
           coalesce(sum(size_bytes) FILTER (WHERE deleted_at IS NULL), 0) AS bytes,
           count(*) AS received, coalesce(sum(size_bytes), 0) AS bytes_received
    FROM documents WHERE tenant_id = t.id) d
CROSS JOIN LATERAL (SELECT coalesce(sum(size_bytes), 0) AS bytes FROM artifacts WHERE tenant_id = t.id) a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(pages_done), 0) AS pages FROM jobs WHERE tenant_id = t.id AND status = 'SUCCEEDED') j""",
)

STATEMENTS = (*TABLES, *FUNCTIONS, *TRIGGERS, *COUNT_WHAT_IS_THERE)
RECOUNT = (
    """
TRUNCATE tenant_job_counts, tenant_finished_jobs, tenant_finished_minutes, tenant_stage_times, tenant_volumes""",
    *COUNT_WHAT_IS_THERE,
    quotas.COUNT_WHAT_IS_THERE,
)
"""For the schema's owner, after rows were loaded with the triggers off."""
