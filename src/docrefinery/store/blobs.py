"""Bytes of documents and artifacts, through obstore: a local folder, S3, GCS or Azure by URL."""

import builtins
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import obstore
import structlog
from msgspec import Struct
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from docrefinery.errors import StorageError

if TYPE_CHECKING:
    from obstore import AsyncWritableFile

log = structlog.get_logger(__name__)

PART = 1024 * 1024
"""Bytes held in memory at once, reading or writing."""


_HALF_WRITTEN = re.compile(r".+#\d+", re.DOTALL)
"""What obstore calls a file of a local store until it is whole."""


class Listed(Struct, frozen=True):
    """A blob in a list."""

    key: str
    modified_at: datetime


class BlobMissing(StorageError):
    """The storage has no blob of this key."""


@contextmanager
def _refused(key: str) -> Iterator[None]:
    """Tell the storage's errors from anybody else's."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise StorageError(f"The storage did not take {key}.") from error


class BlobWriter:
    """A blob that is being written."""

    def __init__(self, key: str, file: "AsyncWritableFile") -> None:
        self._key = key
        self._file = file

    async def write(self, data: bytes) -> None:
        """Write the next piece; raises :class:`StorageError`."""
        with _refused(self._key):
            await self._file.write(data)


class Blobs:
    """The storage that a URL names. Keys are made by the services, never from a file name.

    :param url: ``file:///folder``, ``s3://bucket/prefix``, ``gs://…`` or ``az://…``; credentials come from the
        environment, as obstore documents them.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._store: ObjectStore
        self._folder: Path | None = None
        if parts.scheme == "file":
            self._folder = Path(unquote(parts.path))
            self._store = LocalStore(self._folder, mkdir=True, automatic_cleanup=True)
        else:
            self._store = from_url(url)

    @asynccontextmanager
    async def writing(self, key: str) -> AsyncIterator["BlobWriter"]:
        """Write a blob in pieces; it becomes visible as a whole at the end, and not at all after an exception.

        :raises StorageError: if the storage refuses.
        """
        with _refused(key):
            file = obstore.open_writer_async(self._store, key, buffer_size=5 * PART, max_concurrency=2)
            await file.__aenter__()
        try:
            yield BlobWriter(key, file)
        except BaseException as error:
            await file.__aexit__(type(error), error, error.__traceback__)
            raise
        with _refused(key):
            await file.__aexit__(None, None, None)

    async def write_file(self, key: str, path: Path) -> None:
        """Write a blob from a local file."""
        with _refused(key):
            await obstore.put_async(self._store, key, path)

    async def stream(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield a blob's bytes from ``start`` to ``end`` (exclusive; ``None`` is all of it).

        :raises BlobMissing: if there is no such blob.
        :raises StorageError: if the storage cannot be read.
        """
        try:
            options: obstore.GetOptions = {"range": (start, end)} if end is not None else {}
            result = await obstore.get_async(self._store, key, options=options)
            async for chunk in result.stream(min_chunk_size=PART // 4):
                yield bytes(chunk)
        except (NotFoundError, FileNotFoundError) as error:
            raise BlobMissing(f"The storage has no {key}.") from error
        except BaseError as error:
            raise StorageError(f"The storage cannot read {key}.") from error

    async def delete(self, prefix: str) -> None:
        """Delete the blob of this key, or every blob under it as a folder; absent ones are fine."""
        try:
            async for listed in obstore.list(self._store, prefix, chunk_size=500):
                await self._delete([blob["path"] for blob in listed])
            await self._delete([prefix])
        except BaseError as error:
            raise StorageError(f"The storage did not delete {prefix}.") from error

    async def _delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except (NotFoundError, FileNotFoundError):
                continue

    async def list(self) -> AsyncIterator[Sequence[Listed]]:
        """Yield all blobs, some hundred at a time, in no order.

        :raises StorageError: if the storage cannot be read.
        """
        try:
            async for listed in obstore.list(self._store, chunk_size=500):
                yield [Listed(blob["path"], blob["last_modified"]) for blob in listed]
        except BaseError as error:
            raise StorageError("The storage cannot be listed.") from error

    async def exists(self, key: str) -> bool:
        """Return whether there is a blob of this key; raises :class:`StorageError` if that cannot be known."""
        try:
            await obstore.head_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return False
        except BaseError as error:
            raise StorageError(f"The storage does not say whether it has {key}.") from error
        return True

    def half_written(self, before: datetime) -> builtins.list[str]:
        """Return files of a storage folder that a killed process has left half-written, older than ``before``.

        No list of blobs has them; other storages remove theirs themselves.
        """
        if self._folder is None:
            return []
        return [
            str(path.relative_to(self._folder))
            for path in sorted(self._folder.rglob("*#*"))
            if _HALF_WRITTEN.fullmatch(path.name) and path.is_file() and path.stat().st_mtime < before.timestamp()
        ]

    def remove_half_written(self, paths: Sequence[str]) -> None:
        """Remove such files; absent ones are fine."""
        for path in paths:
            assert self._folder is not None
            (self._folder / path).unlink(missing_ok=True)

    async def check(self) -> None:
        """Write and delete a small blob; raises :class:`StorageError` if that fails."""
        # Not in a folder: that of one check would be cleaned up under the hands of another.
        key = f"health-{uuid4()}"
        try:
            await obstore.put_async(self._store, key, b"ok")
            await self._delete([key])
        except (BaseError, OSError) as error:
            raise StorageError("The storage cannot be written.") from error
