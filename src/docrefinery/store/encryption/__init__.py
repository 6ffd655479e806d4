"""Encryption at rest: master keys, tenants' keys, and blobs that are sealed chunk by chunk (docs/decisions/0015)."""
