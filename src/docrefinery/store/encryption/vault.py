"""Blobs as the service reads and writes them: encrypted where their tenant's are, and plain to whoever asks here."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import structlog

from docrefinery.store import tenant_keys
from docrefinery.store.blobs import PART, Blobs
from docrefinery.store.database import Database
from docrefinery.store.encryption.chunks import ChunkCipher, Opener, Part, Sealer
from docrefinery.store.encryption.errors import BlobDamaged, KeyGivenUp, Undecryptable
from docrefinery.store.encryption.keys import MasterKeys, TenantKey
from docrefinery.store.writing import BlobWriter

log = structlog.get_logger(__name__)

_GIVEN_UP = "The tenant's key was given up."


class Stored(Protocol):
    """A row that refers to a blob; ``size_bytes`` is that of the plain content."""

    @property
    def tenant_id(self) -> int:
        """Whose blob it is."""

    @property
    def blob_key(self) -> str:
        """Where it is."""

    @property
    def size_bytes(self) -> int:
        """Bytes of its plain content."""

    @property
    def data_key(self) -> bytes | None:
        """The wrapped secret that it is sealed with; ``None`` if it is plain."""


class VaultWriter:
    """A blob that is being written; ``data_key`` belongs into its row."""

    def __init__(self, file: BlobWriter, sealer: Sealer | None, data_key: bytes | None) -> None:
        self.data_key = data_key
        self._file = file
        self._sealer = sealer

    def describe(self, headers: Mapping[str, str]) -> None:
        """Say before the first bytes what a storage that sends them itself is to say of them.

        What is encrypted it never sends, and is told nothing of.
        """
        if self._sealer is None:
            self._file.describe(headers)

    async def write(self, data: bytes) -> None:
        """Write the next plain bytes; raises :class:`StorageError`."""
        if self._sealer is None:
            await self._file.write(data)
        elif sealed := self._sealer.update(data):
            await self._file.write(sealed)

    async def finish(self) -> None:
        """Write what is held back."""
        if self._sealer is not None:
            await self._file.write(self._sealer.finish())


class Vault:
    """The storage, and the keys to it.

    :param masters: open tenants' keys.
    :param encrypt: whether tenants are encrypted that say nothing themselves.
    """

    def __init__(self, db: Database, blobs: Blobs, masters: MasterKeys, *, encrypt: bool) -> None:
        self._db = db
        self._blobs = blobs
        self._masters = masters
        self._encrypt = encrypt

    def encrypts(self, own: bool | None) -> bool:  # noqa: FBT001 - a tenant's column
        """Return whether new blobs are encrypted of a tenant that says so, says no, or says nothing."""
        return self._encrypt if own is None else own

    @asynccontextmanager
    async def writing(self, tenant_id: int, key: str, *, encrypt: bool) -> AsyncIterator[VaultWriter]:
        """Write a blob in pieces, as :meth:`.Blobs.writing` does.

        :raises KeyUnavailable: if it is to be encrypted and the tenant's key cannot be opened or made.
        :raises StorageError: if the storage refuses.
        """
        sealer, data_key = None, None
        if encrypt:
            secret, data_key = (await self._tenant_key(tenant_id, make=True)).new_secret(key)
            sealer = Sealer(ChunkCipher(secret, key))
        async with self._blobs.writing(key) as file:
            writer = VaultWriter(file, sealer, data_key)
            yield writer
            await writer.finish()

    async def write_file(
        self, tenant_id: int, key: str, path: Path, headers: Mapping[str, str], *, encrypt: bool
    ) -> bytes | None:
        """Write a blob from a local file and return what belongs into its row; raises as :meth:`writing` does.

        :param headers: what a storage that sends it itself is to say of it.
        """
        if not encrypt:
            await self._blobs.write_file(key, path, headers)
            return None
        async with self.writing(tenant_id, key, encrypt=True) as writer:
            with path.open("rb") as file:
                while piece := file.read(PART):
                    await writer.write(piece)
        return writer.data_key

    async def stream(
        self, blob: Stored, *, start: int = 0, end: int | None = None, at_once: bool = False
    ) -> AsyncIterator[bytes]:
        """Yield a blob's plain bytes from ``start`` to ``end`` (exclusive; ``None`` is all of it).

        :param at_once: as for :meth:`.Blobs.stream`.
        :raises BlobMissing: if there is no such blob.
        :raises BlobDamaged: before the first byte that is not what was written.
        :raises KeyUnavailable: if the tenant's key cannot be opened.
        :raises StorageError: if the storage cannot be read.
        """
        try:
            async for piece in self._opened(blob, start, end, at_once=at_once):
                yield piece
        except Undecryptable as error:
            error.told = True
            log.error("blob_not_decrypted", blob=blob.blob_key, tenant_id=blob.tenant_id, error=str(error))  # noqa: TRY400
            raise

    async def _opened(self, blob: Stored, start: int, end: int | None, *, at_once: bool) -> AsyncIterator[bytes]:
        if blob.data_key is None:
            async for piece in self._blobs.stream(blob.blob_key, start=start, end=end, at_once=at_once):
                yield piece
            return
        tenant_key = await self._tenant_key(blob.tenant_id, make=False)
        part = Part(blob.size_bytes, start, blob.size_bytes if end is None else end)
        opener = Opener(ChunkCipher(tenant_key.secret(blob.blob_key, blob.data_key), blob.blob_key), part)
        first, last = part.sealed_start, part.sealed_end
        async for sealed in self._blobs.stream(blob.blob_key, start=first, end=last, at_once=at_once):
            if plain := opener.update(sealed):
                yield plain
        opener.finish()

    async def presigned(self, blob: Stored, headers: Mapping[str, str], seconds: int) -> str | None:
        """Return a URL under which the storage sends a plain blob, as :meth:`.Blobs.presigned` does."""
        if blob.data_key is not None:
            return None
        return await self._blobs.presigned(blob.blob_key, blob.size_bytes, headers, seconds)

    async def read_to(self, blob: Stored, path: Path) -> None:
        """Copy a blob's plain bytes into a local file; raises as :meth:`stream` does."""
        with path.open("wb") as file:
            async for piece in self.stream(blob, at_once=True):
                file.write(piece)

    async def hold_key(self, tenant_id: int, sealed: Iterable[tuple[str, bytes | None]]) -> None:
        """Keep a tenant's key from being given up until the transaction ends, before anything else is locked.

        :param sealed: keys of blobs that rows are about to refer to, and the wrapped secrets of those that are sealed.
        :raises KeyGivenUp: if the tenant's key is not the one that they were sealed under any more.
        :raises KeyUnavailable: if it cannot be opened.
        """
        secrets = [(key, data_key) for key, data_key in sealed if data_key is not None]
        if not secrets:
            return
        wrapped = await tenant_keys.hold(self._db, tenant_id)
        if wrapped is None:
            raise KeyGivenUp(_GIVEN_UP)
        tenant_key = self._masters.tenant_key(tenant_id, wrapped)
        try:
            for key, data_key in secrets:
                tenant_key.secret(key, data_key)
        except BlobDamaged as error:
            raise KeyGivenUp(_GIVEN_UP) from error

    async def delete(self, prefix: str) -> None:
        """Delete blobs, as :meth:`.Blobs.delete` does."""
        await self._blobs.delete(prefix)

    async def _tenant_key(self, tenant_id: int, *, make: bool) -> TenantKey:
        # Asked for each blob and kept by nobody: a tenant's key that was given up is of no use from then on.
        wrapped = await tenant_keys.get(self._db, tenant_id)
        if wrapped is None and make:
            wrapped = await tenant_keys.keep(self._db, tenant_id, self._masters.new_tenant_key(tenant_id))
        if wrapped is None:
            raise BlobDamaged(_GIVEN_UP)
        return self._masters.tenant_key(tenant_id, wrapped)
