"""The audit log: rows come, and only the schema's owner removes them, by age (docs/decisions/0014)."""

STATEMENTS = (
    # Without a foreign key: what happened is kept whatever becomes of the tenant. `xid` orders followers: what is
    # older than every open transaction is there for good, and nothing comes in before it.
    """
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tenant_id bigint,
    actor_kind text NOT NULL CHECK (actor_kind IN ('key', 'operator', 'system')),
    actor text NOT NULL,
    key_id bigint CHECK ((key_id IS NOT NULL) = (actor_kind = 'key')),
    action text NOT NULL,
    object text NOT NULL DEFAULT '',
    outcome text NOT NULL CHECK (outcome IN ('done', 'denied')),
    request_id text NOT NULL DEFAULT '',
    client text NOT NULL DEFAULT '',
    details jsonb NOT NULL DEFAULT '{}'
)""",
    "CREATE INDEX audit_log_tenant ON audit_log (tenant_id, id)",
    "CREATE INDEX audit_log_age ON audit_log (happened_at)",
    "CREATE INDEX audit_log_order ON audit_log (xid, id)",
    # Requests of tenants write their own rows and read none.
    """
CREATE POLICY walls ON audit_log
    USING (nullif(current_setting('docrefinery.tenant', true), '') IS NULL)
    WITH CHECK (coalesce(nullif(current_setting('docrefinery.tenant', true), '')::bigint, tenant_id)
                IS NOT DISTINCT FROM tenant_id)""",
    "ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY",
    # The application's role has no right to change rows; this holds the owner too, and who has one role for both.
    """
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR coalesce(current_setting('docrefinery.prune_audit', true), '') <> 'on' THEN
        RAISE insufficient_privilege USING MESSAGE = 'the audit log is added to, and pruned by docrefinery audit prune';
    END IF;
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()""",
)
