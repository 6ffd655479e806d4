"""When a worker with Docling's models was last heard of: jobs that want them wait over a restart of the only one."""

STATEMENTS = (
    """
CREATE TABLE models_seen (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    seen_at timestamptz NOT NULL
)""",
)
