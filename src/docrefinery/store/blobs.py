"""Bytes of documents and artifacts, through obstore: a local folder, S3, GCS or Azure by URL."""

import builtins
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import obstore
import structlog
from msgspec import Struct
from obstore.exceptions import BaseError, NotFoundError

from docrefinery.errors import StorageError
from docrefinery.store.opening import Access, folder_of, open_store
from docrefinery.store.refusals import refused, refusing, says_missing
from docrefinery.store.writing import AT_A_TIME, PIECE, BlobWriter, attributes_of

if TYPE_CHECKING:
    from obstore.store import S3Store

log = structlog.get_logger(__name__)

PART = 1024 * 1024
"""Bytes held in memory at once, reading or writing."""
_READ = PART // 4
"""Bytes read at a time."""
DELETED = 1000
"""Blobs of one request that deletes: S3's own limit."""

_HALF_WRITTEN = re.compile(r".+#\d+", re.DOTALL)
"""What obstore calls a file of a local store until it is whole."""


class Listed(Struct, frozen=True):
    """A blob in a list."""

    key: str
    modified_at: datetime


class BlobMissing(StorageError):
    """The storage has no blob of this key."""


class Blobs:
    """The storage that a URL names. Keys are made by the services, never from a file name.

    :param url: ``file:///folder``, ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``;
        credentials come from the environment, as obstore documents them.
    :raises StorageError: if it cannot be opened.
    """

    def __init__(self, url: str, access: Access | None = None) -> None:
        access = access or Access()
        self._folder = folder_of(url)
        self._store = open_store(url, access)
        self._probe = self._signer = self._store
        if self._folder is None:
            self._probe = open_store(url, access, probing=True)
            self._signer = open_store(url, access, signing=True)

    @asynccontextmanager
    async def writing(self, key: str) -> AsyncIterator["BlobWriter"]:
        """Write a blob in pieces; it becomes visible as a whole at the end, and not at all after an exception.

        :raises StorageError: if the storage refuses.
        """
        writer = BlobWriter(self._store, key, describable=self._folder is None)
        try:
            yield writer
        except BaseException as error:
            await writer.give_up(error)
            raise
        await writer.finish()

    async def write_file(self, key: str, path: Path, headers: Mapping[str, str]) -> None:
        """Write a blob from a local file, with what object storage is to say of it to whom it sends it.

        :raises StorageError: if the storage refuses.
        """
        with refusing(f"The storage did not take {key}"):
            await obstore.put_async(
                self._store,
                key,
                path,
                attributes=attributes_of(headers) if self._folder is None else None,
                chunk_size=PIECE,
                max_concurrency=AT_A_TIME,
            )

    async def stream(
        self, key: str, *, start: int = 0, end: int | None = None, at_once: bool = False
    ) -> AsyncIterator[bytes]:
        """Yield a blob's bytes from ``start`` to ``end`` (exclusive; ``None`` is all of it).

        :param at_once: whether they are wanted as fast as they come; a blob that is deleted meanwhile is missing from
            there on.
        :raises BlobMissing: if there is no such blob.
        :raises StorageError: if the storage cannot be read.
        """
        try:
            options: obstore.GetOptions = {"range": (start, end)} if end is not None else {}
            result = await obstore.get_async(self._store, key, options=options)
            if not at_once or self._folder is None:
                async for chunk in result.stream(min_chunk_size=_READ):
                    yield bytes(chunk)
                return
            # Of a file obstore streams 8 KiB at a time, each from another thread: that takes several times as long.
            first, behind = result.range
            for at in range(first, behind, _READ):
                yield bytes(await obstore.get_range_async(self._store, key, start=at, end=min(at + _READ, behind)))
        except (BaseError, OSError) as error:
            if says_missing(error):
                raise BlobMissing(f"The storage has no {key}.") from None
            raise refused(f"The storage cannot read {key}", error) from None

    async def presigned(self, key: str, size: int, headers: Mapping[str, str], seconds: int) -> str | None:
        """Return a URL under which anybody may fetch a blob, with these headers.

        :param size: what it must have, in bytes.
        :param seconds: for how long the URL is good.
        :returns: ``None`` if it is not there, or was not written with these headers: they cannot be part of a URL.
        :raises StorageError: if the storage cannot be asked, or the credentials sign nothing.
        """
        try:
            found = await obstore.get_async(self._store, key, options={"head": True})
            said = cast("Mapping[str, str]", found.attributes)
            if found.meta["size"] != size or any(said.get(name) != value for name, value in headers.items()):
                return None
            return await self._signed(key, seconds)
        except (BaseError, OSError) as error:
            if says_missing(error):
                return None
            raise refused(f"The storage does not lend {key}", error) from None

    async def _signed(self, key: str, seconds: int) -> str:
        signer = cast("S3Store", self._signer)
        return await obstore.sign_async(signer, "GET", key, timedelta(seconds=seconds))

    async def delete(self, prefix: str) -> None:
        """Delete the blob of this key, or every blob under it as a folder; absent ones are fine."""
        with refusing(f"The storage did not delete {prefix}"):
            last: builtins.list[str] = []
            async for listed in obstore.list(self._store, prefix, chunk_size=DELETED - 1):
                await self._delete(last)
                last = [blob["path"] for blob in listed]
            # The folder's own key after what is in it.
            await self._delete([*last, prefix])

    async def _delete(self, keys: Sequence[str]) -> None:
        """Delete some blobs, in as few requests as the storage has for it."""
        if self._folder is None and len(keys) > 1:
            try:
                await obstore.delete_async(self._store, keys)
            except (NotFoundError, FileNotFoundError) as error:
                if not says_missing(error):
                    raise
            else:
                return
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except (NotFoundError, FileNotFoundError) as error:
                if not says_missing(error):
                    raise

    async def list(self) -> AsyncIterator[Sequence[Listed]]:
        """Yield all blobs, some hundred at a time, in no order.

        :raises StorageError: if the storage cannot be read.
        """
        with refusing("The storage cannot be listed"):
            async for listed in obstore.list(self._store, chunk_size=DELETED):
                yield [Listed(blob["path"], blob["last_modified"]) for blob in listed]

    async def exists(self, key: str) -> bool:
        """Return whether there is a blob of this key; raises :class:`StorageError` if that cannot be known."""
        try:
            await obstore.head_async(self._store, key)
        except (BaseError, OSError) as error:
            if says_missing(error):
                return False
            raise refused(f"The storage does not say whether it has {key}", error) from None
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
        """Find out whether the storage is there, which a folder is if it can be written.

        :raises StorageRefused: if only the operator can change that it is not.
        :raises StorageError: if it is away.
        """
        if self._folder is not None:
            await self.check_writing()
            return
        # Where old versions are kept, a blob for each probe would fill the bucket.
        with refusing("The storage cannot be used"):
            async for _ in obstore.list(self._probe, "health", chunk_size=1):
                break

    async def check_writing(self) -> None:
        """Write and delete a small blob; raises as :meth:`check` does."""
        # Not in a folder: that of one check would be cleaned up under the hands of another.
        key = f"health-{uuid4()}"
        with refusing("The storage cannot be written"):
            await obstore.put_async(self._probe, key, b"ok")
            await obstore.delete_async(self._probe, key)

    async def check_signing(self) -> None:
        """Sign a URL that nobody gets; raises as :meth:`check` does."""
        with refusing("The storage's credentials sign no URLs"):
            await self._signed("health", 1)
