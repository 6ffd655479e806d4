"""How long a tenant's files, artifacts and jobs are kept, and what is left of those that were not."""

from docrefinery.store.sql.walls import wall

STATEMENTS = (
    # Null is the installation's default, 0 is for ever.
    """
ALTER TABLE tenants
    ADD COLUMN keep_files_hours integer CHECK (keep_files_hours >= 0),
    ADD COLUMN keep_artifacts_hours integer CHECK (keep_artifacts_hours >= 0),
    ADD COLUMN keep_jobs_hours integer CHECK (keep_jobs_hours >= 0)""",
    # `deleted_at` says, as before, that the bytes are gone and may come again; with this beside it the document is
    # still shown. A process of the version before takes it for a deleted one.
    """
ALTER TABLE documents
    ADD COLUMN file_expired_at timestamptz CHECK (file_expired_at IS NULL OR deleted_at IS NOT NULL)""",
    # An artifact's row goes when it expires, so that lists and counters need not know; this answers for it.
    """
CREATE TABLE expired_artifacts (
    id bigint PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE,
    tenant_id bigint NOT NULL REFERENCES tenants,
    job_id bigint NOT NULL,
    expired_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
)""",
    "CREATE INDEX expired_artifacts_job ON expired_artifacts (tenant_id, job_id)",
    *wall("expired_artifacts", "tenant_id"),
    # What the sweep seeks in; `jobs_finished` is there already. Every change of a document's jobs moves `modified_at`,
    # and an artifact is inserted in the transaction that ends its job.
    "CREATE INDEX documents_used ON documents (tenant_id, modified_at) WHERE deleted_at IS NULL",
    "CREATE INDEX artifacts_age ON artifacts (tenant_id, created_at)",
)
