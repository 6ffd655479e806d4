"""Indexes that every filter of a list seeks in (docs/decisions/0024)."""

SHOWN = "(deleted_at IS NULL) = (file_expired_at IS NULL)"
"""Both are set where the file has expired, and neither while it is there."""

STATEMENTS = (
    # One group of `tenant_job_counts` after the other, each in the order of a list. They stand in for one index for each
    # filter, so that a job costs fewer writes than before.
    "CREATE INDEX jobs_groups ON jobs (tenant_id, status, stage, coalesce(profile, ''), id)",
    "CREATE INDEX jobs_groups_modified ON jobs (tenant_id, status, stage, coalesce(profile, ''), modified_at, id)",
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
)
