"""What is left of documents and jobs that have expired, as of artifacts already: their numbers."""

from docrefinery.store.sql.walls import wall

_TABLE = """
CREATE TABLE {name} (
    id bigint PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE,
    tenant_id bigint NOT NULL REFERENCES tenants,
    expired_at timestamptz NOT NULL DEFAULT now()
)"""

STATEMENTS = (
    *(_TABLE.format(name=name) for name in ("expired_documents", "expired_jobs")),
    *wall("expired_documents", "tenant_id"),
    *wall("expired_jobs", "tenant_id"),
    # It outlives its job now. A process of the version before, which removes a job, leaves it there as well.
    "ALTER TABLE expired_artifacts DROP CONSTRAINT expired_artifacts_tenant_id_job_id_fkey",
    "DROP INDEX expired_artifacts_job",
    # What the sweep seeks in.
    "CREATE INDEX expired_documents_age ON expired_documents (expired_at)",
    "CREATE INDEX expired_jobs_age ON expired_jobs (expired_at)",
    "CREATE INDEX expired_artifacts_age ON expired_artifacts (expired_at)",
)
