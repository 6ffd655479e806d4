"""Walls between tenants: row-level security on what belongs to one (docs/decisions/0014).

The application's connections are held to the tenant that the setting ``docrefinery.tenant`` names, and to none if it
is 0. Where it is not set, as by workers, by commands and by the version before this one, they reach every tenant. The
schema's owner is not held to anything.
"""

REACH = "nullif(current_setting('docrefinery.tenant', true), '')::bigint"
"""Whom a statement may reach; null is everybody."""

OF_A_TENANT = (
    "api_keys",
    "documents",
    "jobs",
    "artifacts",
    "webhook_endpoints",
    "webhook_deliveries",
    "idempotency_records",
    "disabled_profiles",
    "tenant_clocks",
    "tenant_job_counts",
    "tenant_finished_jobs",
    "tenant_finished_minutes",
    "tenant_stage_times",
    "tenant_volumes",
)
"""Tables whose rows name their tenant."""


def wall(table: str, column: str) -> tuple[str, str]:
    """Return the statements that wall off a table whose column is the tenant's number.

    One comparison, without a subquery to set up for a read of one row.
    """
    return (
        f"CREATE POLICY walls ON {table} USING (coalesce({REACH}, {column}) = {column})",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    )


# A read of a job is most of the traffic, so it has one round trip: the setting holds until its transaction ends, which
# is the statement's own unless one is open, and plpgsql runs one statement after the other.
_JOB = """
CREATE FUNCTION job_of_tenant(reach text, tenant bigint, wanted {kind}) RETURNS SETOF job_views LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('docrefinery.tenant', reach, true);
    RETURN QUERY SELECT * FROM job_views WHERE tenant_id = tenant AND {column} = wanted;
END $$"""

# Rows of one tenant that would point at another's are refused by the keys.
COMPOSITE_KEYS = (
    "CREATE UNIQUE INDEX jobs_of_tenant ON jobs (tenant_id, id)",
    "ALTER TABLE jobs ADD CONSTRAINT jobs_of_tenant UNIQUE USING INDEX jobs_of_tenant",
    "DROP INDEX jobs_tenant",
    """
ALTER TABLE artifacts
    ADD CONSTRAINT artifacts_job FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id),
    DROP CONSTRAINT artifacts_job_id_fkey""",
    """
ALTER TABLE webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_job FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
        ON DELETE CASCADE,
    DROP CONSTRAINT webhook_deliveries_job_id_fkey""",
)

STATEMENTS = (
    *COMPOSITE_KEYS,
    *(statement for table in OF_A_TENANT for statement in wall(table, "tenant_id")),
    *wall("tenants", "id"),
    # Events have the tenant of their job, which is there only for those who may see it.
    "CREATE POLICY walls ON job_events USING (EXISTS (SELECT FROM jobs WHERE jobs.id = job_id))",
    "ALTER TABLE job_events ENABLE ROW LEVEL SECURITY",
    _JOB.format(kind="bigint", column="id"),
    _JOB.format(kind="uuid", column="uuid"),
)
