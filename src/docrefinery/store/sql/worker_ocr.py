"""Workers say which OCR engine and languages they have, so that the API refuses what none of them can read."""

STATEMENTS = ("ALTER TABLE workers ADD COLUMN ocr jsonb NOT NULL DEFAULT 'null'",)
