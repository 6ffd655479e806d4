"""What can be wrong with something encrypted. No message holds more than names."""

from docrefinery.errors import StorageError


class Undecryptable(StorageError):
    """Something encrypted cannot be read.

    :ivar told: whether the log has it already, with the blob's name.
    """

    told = False


class KeyUnavailable(Undecryptable):
    """A tenant's key cannot be opened: no key is set, or not the one that it was encrypted under."""


class KeyGivenUp(StorageError):
    """What was sealed a moment ago is under a key that was given up since; another try has another key."""


class BlobDamaged(Undecryptable):
    """A blob is not the one that was written, or its tenant's key was given up."""
