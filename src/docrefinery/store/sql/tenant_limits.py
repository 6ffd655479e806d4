"""What the operator holds a tenant to: profiles that are switched off, and limits below the installation's."""

STATEMENTS = (
    # The name is kept as text, since a profile's plugin may be uninstalled and come back.
    """
CREATE TABLE disabled_profiles (
    tenant_id bigint NOT NULL REFERENCES tenants,
    profile text NOT NULL,
    disabled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, profile)
)""",
    """
ALTER TABLE tenants
    ADD COLUMN max_upload_mb integer CHECK (max_upload_mb > 0),
    ADD COLUMN max_pages integer CHECK (max_pages > 0),
    ADD COLUMN max_running_jobs integer CHECK (max_running_jobs > 0)""",
    """
CREATE TRIGGER toggle_tells AFTER INSERT OR UPDATE OR DELETE ON disabled_profiles
    FOR EACH STATEMENT EXECUTE FUNCTION key_tells()""",
    "DROP TRIGGER tenant_tells ON tenants",
    """
CREATE TRIGGER tenant_tells
    AFTER UPDATE OF name, options, default_profile, max_upload_mb, max_pages ON tenants
    FOR EACH STATEMENT EXECUTE FUNCTION key_tells()""",
    # In the order of `queued_at`, which no other index has: the planner finds the next job here and nowhere else.
    "DROP INDEX jobs_claim",
    "CREATE INDEX jobs_claim ON jobs (tenant_id, queue, queued_at, id) WHERE status = 'QUEUED'",
    # Beside the tenant's clock, which every change of its jobs locks until commit: whoever holds that row knows
    # exactly how many are running, and a claim can be held to the tenant's limit.
    "ALTER TABLE tenant_clocks ADD COLUMN running integer NOT NULL DEFAULT 0",
    """
CREATE FUNCTION job_runs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    more integer := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN more := more - (OLD.status = 'RUNNING')::integer; END IF;
    IF TG_OP <> 'DELETE' THEN more := more + (NEW.status = 'RUNNING')::integer; END IF;
    IF more <> 0 THEN
        UPDATE tenant_clocks SET running = running + more WHERE tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id);
    END IF;
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER job_runs AFTER INSERT OR DELETE OR UPDATE OF status ON jobs
    FOR EACH ROW EXECUTE FUNCTION job_runs()""",
    """
UPDATE tenant_clocks c SET running = j.n
FROM (SELECT tenant_id, count(*) AS n FROM jobs WHERE status = 'RUNNING' GROUP BY tenant_id) j
WHERE j.tenant_id = c.tenant_id""",
)
