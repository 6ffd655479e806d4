"""Workers say which of Docling's models they hold and whose jobs they take, so that jobs which want models find them.

The defaults stand for workers of the version before, which write neither.
"""

STATEMENTS = (
    """
ALTER TABLE workers
    ADD COLUMN models jsonb NOT NULL DEFAULT 'null',
    ADD COLUMN profiles text[] NOT NULL DEFAULT '{}'""",
)
