"""Whether object storage does what it has to: looked at before a process serves or works."""

import structlog

from docrefinery.bootstrap.common import blobs_of
from docrefinery.errors import StorageError
from docrefinery.settings import Settings, SettingsError
from docrefinery.store.refusals import StorageRefused

log = structlog.get_logger(__name__)


async def check_storage(settings: Settings) -> None:
    """Check that object storage takes blobs, and signs URLs where it has to.

    A folder is not looked at: whoever makes it finds out. Storage that is away is left to those who use it, as it comes
    back by itself.

    :raises SettingsError: if it refuses for good.
    """
    if settings.storage_folder is not None:
        return
    try:
        await try_storage(settings)
    except StorageRefused as error:
        raise SettingsError(f"DOCREFINERY_STORAGE_URL: {error.message}") from None
    except StorageError as error:
        log.warning("storage_away", error=error.message)


async def try_storage(settings: Settings) -> None:
    """Write, delete and sign; raises :class:`StorageError`."""
    blobs = blobs_of(settings)
    await blobs.check_writing()
    if settings.presigned_downloads:
        await blobs.check_signing()
