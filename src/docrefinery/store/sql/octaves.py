"""How long after its creation a job changed last, so that lists by both times have bounds (docs/decisions/0024)."""

from docrefinery.store.sql.lists import PROFILE

OCTAVES = 20
"""Up to 364 days; what changed later than that is in one more, without an end."""

_ENDS = ",".join(f'"{2**octave} minutes"' for octave in range(OCTAVES))

STATEMENTS = (
    # Before the table is written anew, which makes all of its indexes anew.
    "DROP INDEX jobs_groups_modified",
    # 0: within a minute; n: within 2 ** n minutes and not within half of them.
    f"""
ALTER TABLE jobs ADD COLUMN modified_octave integer NOT NULL
    GENERATED ALWAYS AS (width_bucket(modified_at - created_at, '{{{_ENDS}}}'::interval[])) STORED""",
    f"""
CREATE INDEX jobs_groups_modified
    ON jobs (tenant_id, modified_octave, status, stage, ({PROFILE}), modified_at, id)""",
    "ANALYZE jobs",
)
