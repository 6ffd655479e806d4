"""How long after its creation a job changed last, so that lists by both times have bounds (docs/decisions/0024)."""

from docrefinery.store.sql.lists import PROFILE

OCTAVES = 20
"""Up to 364 days; what changed later than that is in one more, without an end."""
UNKNOWN = -1
"""Of jobs that have not changed since the column is there: it is not filled, which would write the table anew."""

_ENDS = ",".join(f'"{2**octave} minutes"' for octave in range(OCTAVES))

STATEMENTS = (
    f"ALTER TABLE jobs ADD COLUMN modified_octave integer NOT NULL DEFAULT {UNKNOWN}",
    # 0: within a minute; n: within 2 ** n minutes and not within half of them.
    f"""
CREATE FUNCTION octave_of(age interval) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT width_bucket(age, '{{{_ENDS}}}'::interval[])
$$""",
    """
CREATE FUNCTION job_has_octave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.modified_octave := octave_of(NEW.modified_at - NEW.created_at);
    RETURN NEW;
END $$""",
    # Triggers run in the order of their names: after `job_ticks`, which sets both times.
    """
CREATE TRIGGER job_ticks_octave BEFORE INSERT OR UPDATE ON jobs
    FOR EACH ROW EXECUTE FUNCTION job_has_octave()""",
    "DROP INDEX jobs_groups_modified",
    f"""
CREATE INDEX jobs_groups_modified
    ON jobs (tenant_id, modified_octave, status, stage, ({PROFILE}), modified_at, id)""",
    "ANALYZE jobs",
)
