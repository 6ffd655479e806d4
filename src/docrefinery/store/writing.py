"""A blob on its way into the storage: piece by piece, in bounded memory."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError

from docrefinery.store.refusals import refusal_of, refusing

if TYPE_CHECKING:
    from obstore import AsyncWritableFile, Attributes
    from obstore.store import ObjectStore

log = structlog.get_logger(__name__)

PIECE, AT_A_TIME = 5 * 1024 * 1024, 2
"""Of a large blob, so many bytes are sent at once, by so many requests at a time; S3 takes no smaller pieces."""
MOST_DESCRIBED = 1800
"""Bytes of headers that are kept with a blob; S3 refuses 2 KB."""
GIVE_UP_SECONDS = 5.0


class BlobWriter:
    """A blob that is being written. It is opened with its first bytes; until then it may be described."""

    def __init__(self, store: "ObjectStore", key: str, *, describable: bool) -> None:
        self._store = store
        self._key = key
        self._describable = describable
        self._described: Attributes | None = None
        self._file: AsyncWritableFile | None = None

    def describe(self, headers: Mapping[str, str]) -> None:
        """Have the storage say this of the blob to whom it sends it; a folder says nothing."""
        self._described = attributes_of(headers) if self._describable else None

    async def write(self, data: bytes) -> None:
        """Write the next piece; raises :class:`StorageError`."""
        with refusing(f"The storage did not take {self._key}"):
            file = await self._opened()
            await file.write(data)

    async def _opened(self) -> "AsyncWritableFile":
        if self._file is None:
            self._file = obstore.open_writer_async(
                self._store, self._key, attributes=self._described, buffer_size=PIECE, max_concurrency=AT_A_TIME
            )
            await self._file.__aenter__()
        return self._file

    async def finish(self) -> None:
        """Make it visible; raises :class:`StorageError`."""
        # Where this or the last part is refused, obstore gives up what is there: the writer is closed by then.
        with refusing(f"The storage did not take {self._key}"):
            await (await self._opened()).__aexit__(None, None, None)

    async def give_up(self, error: BaseException) -> None:
        """Leave nothing of it; where the storage is away, that is left to the bucket's own rules."""
        if self._file is None:
            return
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                await self._file.__aexit__(type(error), error, error.__traceback__)
        except (BaseError, OSError) as second:
            log.warning("half_written_blob_left", key=self._key, reason=refusal_of(second).reason)


def attributes_of(headers: Mapping[str, str]) -> "Attributes | None":
    """Return what is kept of a blob: nothing, where it is more than S3 keeps."""
    return dict(headers) if sum(map(len, headers.values())) <= MOST_DESCRIBED else None
