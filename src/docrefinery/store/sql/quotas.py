"""What a tenant may ask for, have queued and have stored."""

COUNT_WHAT_IS_THERE = """
UPDATE tenant_clocks c SET running = j.running, queued_pages = j.pages
FROM (SELECT t.id AS tenant_id, count(*) FILTER (WHERE j.status = 'RUNNING') AS running,
             coalesce(sum(j.pages_expected) FILTER (WHERE j.status = 'QUEUED'), 0) AS pages
      FROM tenants t LEFT JOIN jobs j ON j.tenant_id = t.id GROUP BY t.id) j
WHERE j.tenant_id = c.tenant_id"""

STATEMENTS = (
    # Null is the installation's default.
    """
ALTER TABLE tenants
    ADD COLUMN requests_per_minute integer CHECK (requests_per_minute > 0),
    ADD COLUMN max_queued_jobs integer CHECK (max_queued_jobs > 0),
    ADD COLUMN max_pages_in_flight integer CHECK (max_pages_in_flight > 0),
    ADD COLUMN max_stored_mb integer CHECK (max_stored_mb > 0)""",
    "DROP TRIGGER tenant_tells ON tenants",
    """
CREATE TRIGGER tenant_tells
    AFTER UPDATE OF name, options, default_profile, max_upload_mb, max_pages, requests_per_minute, max_queued_jobs,
                    max_pages_in_flight, max_stored_mb ON tenants
    FOR EACH STATEMENT EXECUTE FUNCTION key_tells()""",
    # What was known of the document when the job was queued: 1 where nothing was.
    "ALTER TABLE jobs ADD COLUMN pages_expected integer NOT NULL DEFAULT 1 CHECK (pages_expected > 0)",
    # Beside the number of running jobs, for the same reason: who holds the clock knows it exactly.
    "ALTER TABLE tenant_clocks ADD COLUMN queued_pages bigint NOT NULL DEFAULT 0",
    """
CREATE OR REPLACE FUNCTION job_runs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    more integer := 0;
    more_pages bigint := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        more := more - (OLD.status = 'RUNNING')::integer;
        more_pages := more_pages - (OLD.status = 'QUEUED')::integer * OLD.pages_expected::bigint;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        more := more + (NEW.status = 'RUNNING')::integer;
        more_pages := more_pages + (NEW.status = 'QUEUED')::integer * NEW.pages_expected::bigint;
    END IF;
    IF more <> 0 OR more_pages <> 0 THEN
        UPDATE tenant_clocks SET running = running + more, queued_pages = queued_pages + more_pages
        WHERE tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id);
    END IF;
    RETURN NULL;
END $$""",
    COUNT_WHAT_IS_THERE,
)
