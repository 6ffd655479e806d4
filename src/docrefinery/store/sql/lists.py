"""Indexes that every filter of a list seeks in (docs/decisions/0024)."""

from docrefinery.store.sql.walls import REACH

SHOWN = "(deleted_at IS NULL) = (file_expired_at IS NULL)"
"""Both are set where the file has expired, and neither while it is there."""

PROFILE = "CASE WHEN profile IS NULL THEN '' ELSE profile END"
"""The profile as `tenant_job_counts` has it. Not with `coalesce`, which PostgreSQL takes for one that might leak what
it is given, and so does not look up in an index under row-level security."""

LISTED = ("documents", "jobs", "artifacts", "webhook_deliveries")

STATEMENTS = (
    # One group of `tenant_job_counts` after the other, each in the order of a list. They stand in for an index for each
    # filter, so that a job costs fewer writes than before.
    f"CREATE INDEX jobs_groups ON jobs (tenant_id, status, stage, ({PROFILE}), id)",
    f"CREATE INDEX jobs_groups_modified ON jobs (tenant_id, status, stage, ({PROFILE}), modified_at, id)",
    "DROP INDEX jobs_status",
    "DROP INDEX jobs_stage",
    "DROP INDEX jobs_profile",
    # Without the deleted ones, whose rows stay with their jobs.
    f"CREATE INDEX documents_shown ON documents (tenant_id, status, id) WHERE {SHOWN}",
    "DROP INDEX documents_status",
    # Beside `documents_dedupe`, which has those whose file is there.
    "CREATE INDEX documents_expired ON documents (tenant_id, sha256) WHERE file_expired_at IS NOT NULL",
    "CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, status, id)",
    "DROP INDEX webhook_deliveries_endpoint",
    # The planner takes a wall for what one row in 200 meets, and so sorts whole groups rather than read them
    # in order. With these it knows that it is met by a tenant's rows.
    *(f"CREATE STATISTICS {table}_reach ON (coalesce({REACH}, tenant_id)) FROM {table}" for table in LISTED),
    f"ANALYZE {', '.join(LISTED)}",
)
