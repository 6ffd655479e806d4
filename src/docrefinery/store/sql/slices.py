"""Page ranges of long documents, which several workers read: leases of their own, and what was read.

Explained in docs/decisions/0019.
"""

from docrefinery.store.sql.walls import wall

STATEMENTS = (
    # A row waits, is leased to a worker (with a token), or has an end: pages in the storage, or a failure. Workers of
    # the version before know nothing of it, so that rows go and blobs are noted by themselves.
    """
CREATE TABLE slices (
    tenant_id bigint NOT NULL,
    job_id bigint NOT NULL,
    first_page integer NOT NULL CHECK (first_page > 0),
    last_page integer NOT NULL,
    reader text NOT NULL,
    owner uuid,
    token bigint,
    expires_at timestamptz,
    pages_done integer NOT NULL DEFAULT 0,
    crashes integer NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT '',
    failure jsonb,
    blob_key text UNIQUE,
    size_bytes bigint,
    data_key bytea CHECK (length(data_key) = 12 + 39 + 16),
    PRIMARY KEY (job_id, first_page),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE,
    CHECK (last_page >= first_page),
    CHECK ((token IS NULL) = (expires_at IS NULL)),
    CHECK ((token IS NOT NULL)::integer + (failure IS NOT NULL)::integer + (blob_key IS NOT NULL)::integer <= 1)
) WITH (fillfactor = 50)""",
    """
CREATE INDEX slices_waiting ON slices (job_id, first_page)
    WHERE token IS NULL AND failure IS NULL AND blob_key IS NULL""",
    "CREATE INDEX slices_leased ON slices (tenant_id) WHERE token IS NOT NULL",
    *wall("slices", "tenant_id"),
    """
CREATE FUNCTION slice_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unreferenced_blobs VALUES (OLD.blob_key, now())
        ON CONFLICT (prefix) DO UPDATE SET removable_at = excluded.removable_at;
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER slice_goes AFTER DELETE OR UPDATE OF blob_key ON slices
    FOR EACH ROW WHEN (OLD.blob_key IS NOT NULL) EXECUTE FUNCTION slice_goes()""",
    """
CREATE FUNCTION slice_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('slice_left', NEW.job_id::text);
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER slice_tells AFTER UPDATE OF token ON slices
    FOR EACH ROW WHEN (NEW.token IS NULL) EXECUTE FUNCTION slice_tells()""",
    """
CREATE FUNCTION job_drops_slices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM slices WHERE job_id = NEW.id;
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER job_drops_slices AFTER UPDATE OF status ON jobs
    FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION job_drops_slices()""",
)
