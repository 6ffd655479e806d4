"""Which limit holds: the installation's, or the tenant's own."""

from msgspec import Struct

from docrefinery.errors import FileTooLarge
from docrefinery.services.keys import Caller
from docrefinery.settings import Settings
from docrefinery.store.tenants import UNLIMITED

_MEBI = 1024 * 1024


def quota(own: int | None, installed: int) -> int:
    """Return a number that holds for a tenant: its own, or else the installation's; 0 is no limit."""
    if own is None:
        return installed
    return 0 if own == UNLIMITED else own


class UploadLimit(Struct, frozen=True):
    """The most bytes of a file, and whose limit that is."""

    size_bytes: int
    whose: str

    def refusal(self, what: str) -> FileTooLarge:
        """Return the error for a file, or a whole upload, that is larger."""
        return FileTooLarge(
            f"The {what} is larger than {self.size_bytes // _MEBI} MiB, which is the most {self.whose}.",
            details={"limit_bytes": self.size_bytes},
        )


def upload_limit(settings: Settings, caller: Caller) -> UploadLimit:
    """Return the limit of a caller's uploads."""
    own = caller.max_upload_mb
    if own is not None and own * _MEBI < settings.upload_limit:
        return UploadLimit(own * _MEBI, "your tenant may upload")
    return UploadLimit(settings.upload_limit, "this service takes")
