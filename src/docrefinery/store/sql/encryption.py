"""Encryption at rest: whose blobs are encrypted, under which keys."""

from docrefinery.store.sql.walls import wall

STATEMENTS = (
    # Null follows the installation's default.
    "ALTER TABLE tenants ADD COLUMN encrypt boolean",
    """
CREATE TRIGGER encrypt_tells AFTER UPDATE OF encrypt ON tenants
    FOR EACH STATEMENT EXECUTE FUNCTION key_tells()""",
    # Apart from the tenants, which are read everywhere: a nonce, 32 bytes and a tag, under a key of the installation.
    """
CREATE TABLE tenant_keys (
    tenant_id bigint PRIMARY KEY REFERENCES tenants,
    wrapped bytea NOT NULL CHECK (length(wrapped) = 12 + 32 + 16)
)""",
    *wall("tenant_keys", "tenant_id"),
    # Null is a plain blob: a nonce, 39 bytes and a tag, under the tenant's key.
    "ALTER TABLE documents ADD COLUMN data_key bytea CHECK (length(data_key) = 12 + 39 + 16)",
    "ALTER TABLE artifacts ADD COLUMN data_key bytea CHECK (length(data_key) = 12 + 39 + 16)",
)
