"""What of the audit log the database says itself, whoever writes: when, in which order, and that it was pruned."""

STAYS_DAYS = 7
"""Entries of so many days are pruned by nobody."""

_OPERATOR = "pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE')"

STATEMENTS = (
    "ALTER TABLE audit_log DROP CONSTRAINT audit_log_actor_kind_check",
    """
ALTER TABLE audit_log ADD CONSTRAINT audit_log_actor_kind_check
    CHECK (actor_kind IN ('key', 'operator', 'claimed', 'system'))""",
    # Whoever has the application's role can call itself an operator: that is told apart from one who has the owner's.
    f"""
CREATE FUNCTION audit_is_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := nextval(pg_get_serial_sequence('audit_log', 'id'));
    NEW.xid := pg_current_xact_id();
    NEW.happened_at := clock_timestamp();
    IF NEW.actor_kind = 'operator' AND NOT {_OPERATOR} THEN
        NEW.actor_kind := 'claimed';
    END IF;
    RETURN NEW;
END $$""",
    "CREATE TRIGGER audit_is_now BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_is_now()",
    "DROP TRIGGER audit_stays ON audit_log",
    """
CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'the audit log is added to, and pruned by docrefinery audit prune';
END $$""",
    """
CREATE TRIGGER audit_stays BEFORE UPDATE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()""",
    f"""
CREATE FUNCTION audit_goes_by_age() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.happened_at > clock_timestamp() - interval '{STAYS_DAYS} days' THEN
        RAISE insufficient_privilege USING MESSAGE = 'entries of the last {STAYS_DAYS} days stay in the audit log';
    END IF;
    RETURN OLD;
END $$""",
    """
CREATE TRIGGER audit_goes_by_age BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_goes_by_age()""",
    # By the statement that removes, so that nobody removes without it.
    """
CREATE FUNCTION audit_tells_what_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (actor_kind, actor, action, object, outcome, details)
    SELECT 'operator', coalesce(nullif(current_setting('docrefinery.operator', true), ''), session_user),
           'audit.pruned', 'audit log', 'done',
           jsonb_build_object('removed', count(*), 'until', max(happened_at))
    FROM gone;
    RETURN NULL;
END $$""",
    """
CREATE TRIGGER audit_tells_what_went AFTER DELETE ON audit_log REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION audit_tells_what_went()""",
)
