"""Whether a file of some size is there, asked before one arrives for which there is no room."""

STATEMENTS = ("CREATE INDEX documents_size ON documents (tenant_id, size_bytes) WHERE deleted_at IS NULL",)
