"""A file on its way into the storage."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct

from docrefinery.errors import QuotaExceeded, Unavailable, UnsupportedMediaType
from docrefinery.model import MAGIC, MAGIC_WITHIN
from docrefinery.services.limits import UploadLimit
from docrefinery.services.load import Arrival
from docrefinery.store.encryption.vault import VaultWriter
from docrefinery.store.presentation import presentation

PDF = "application/pdf"


class Size(Struct, frozen=True):
    """Bytes that a file has at the least and at the most, by what is known before it arrives."""

    at_least: int
    at_most: int


Refusal = QuotaExceeded | Unavailable


class Nowhere:
    """Takes bytes that need not be kept."""

    data_key = None

    def describe(self, headers: Mapping[str, str]) -> None:
        """Take what would be said of them."""

    async def write(self, data: bytes) -> None:
        """Take bytes."""


class Upload:
    """A file that is arriving: counted, hashed and checked on its way into the storage.

    :param refusal: what to answer if it turns out to be new, as it is not kept; ``None`` if it is.
    """

    def __init__(
        self,
        key: str,
        uuid: UUID,
        limit: UploadLimit,
        writer: VaultWriter | Nowhere,
        arrival: Arrival,
        refusal: Refusal | None = None,
    ) -> None:
        self.key = key
        self.uuid = uuid
        self.refusal = refusal
        self.size_bytes = 0
        self._limit = limit
        self._hash = hashlib.sha256()
        self._head = b""
        self._writer = writer
        self._arrival = arrival

    @property
    def data_key(self) -> bytes | None:
        """The wrapped secret that the blob is sealed with, if it is."""
        return self._writer.data_key

    @property
    def sha256(self) -> str:
        """Hash of what has arrived, in hex."""
        return self._hash.hexdigest()

    def named(self, filename: str) -> None:
        """Take the file's name, made harmless, before its first bytes."""
        self._writer.describe(presentation(filename, PDF))

    async def write(self, data: bytes) -> None:
        """Take the next bytes.

        :raises FileTooLarge: as soon as the limit is passed.
        :raises UnsupportedMediaType: as soon as it is clear that this is no PDF.
        """
        self.size_bytes += len(data)
        if self.size_bytes > self._limit.size_bytes:
            raise self._limit.refusal("file")
        if len(self._head) < MAGIC_WITHIN:
            self._head = (self._head + data[:MAGIC_WITHIN])[:MAGIC_WITHIN]
            if len(self._head) == MAGIC_WITHIN:
                self.check_magic()
        self._hash.update(data)
        await self._writer.write(data)
        self._arrival.left -= len(data)

    def check_magic(self) -> None:
        """Raise :class:`UnsupportedMediaType` unless the file starts as a PDF does."""
        if not self.size_bytes:
            raise UnsupportedMediaType("The file is empty.")
        if MAGIC not in self._head:
            raise UnsupportedMediaType("The file is not a PDF: `%PDF-` does not stand within its first 1024 bytes.")
