"""What can be wrong with something encrypted. No message holds more than names."""

from docrefinery.errors import StorageError


class KeyUnavailable(StorageError):
    """A tenant's key cannot be opened: no key is set, or not the one that it was encrypted under."""


class BlobDamaged(StorageError):
    """A blob is not the one that was written, or its tenant's key was given up."""
