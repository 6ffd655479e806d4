"""Workers say what their converters are kept apart by. The default stands for workers of the version before."""

STATEMENTS = ("ALTER TABLE workers ADD COLUMN jail jsonb NOT NULL DEFAULT '[]'",)
