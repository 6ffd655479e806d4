"""A blob as sealed chunks: the STREAM construction with AES-256-GCM.

After Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance"
(CRYPTO 2015): the nonce of a chunk is a prefix of the blob's, the chunk's number, and whether it is the last. So chunks
cannot be reordered, left out, added or cut off, and each can be opened by itself.

On the storage a blob is :data:`HEADER`, then chunks of :data:`CHUNK` bytes with a tag of :data:`TAG` bytes each; the
last one is shorter, and empty only if the whole blob is.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from docrefinery.store.encryption.errors import BlobDamaged

HEADER = b"DRBLOB\x00\x01"
"""Says what the file is and in which version; authenticated with every chunk."""
CHUNK = 64 * 1024
"""Plain bytes of a chunk: a small range costs no more than this much, and tags are 0.02 % of a blob."""
TAG = 16
KEY, PREFIX = 32, 7
SECRET = KEY + PREFIX
"""Bytes of what a blob is sealed with: its key and the prefix of its nonces, both random and never used again."""


class ChunkCipher:
    """Seals and opens the chunks of one blob.

    :param secret: :data:`SECRET` bytes.
    :param key: the blob's key in the storage, which binds its chunks to it.
    """

    def __init__(self, secret: bytes, key: str) -> None:
        self._aead = AESGCM(secret[:KEY])
        self._prefix = secret[KEY:SECRET]
        self._context = HEADER + key.encode()

    def _nonce(self, number: int, *, last: bool) -> bytes:
        return self._prefix + number.to_bytes(4, "big") + bytes([last])

    def seal(self, number: int, chunk: bytes | memoryview, *, last: bool) -> bytes:
        """Return a chunk with its tag."""
        return self._aead.encrypt(self._nonce(number, last=last), chunk, self._context)

    def open(self, number: int, sealed: bytes | memoryview, *, last: bool) -> bytes:
        """Return a chunk's plain bytes; raises :class:`BlobDamaged` if it is not the one that was sealed."""
        try:
            return self._aead.decrypt(self._nonce(number, last=last), sealed, self._context)
        except InvalidTag:
            raise BlobDamaged(f"Chunk {number} of an encrypted blob is not what was written.") from None


class Sealer:
    """Seals a blob whose bytes come in pieces of any size."""

    def __init__(self, cipher: ChunkCipher) -> None:
        self._cipher = cipher
        self._number = 0
        self._held = b""

    def update(self, piece: bytes) -> bytes:
        """Take the next plain bytes and return what can be written."""
        held = self._held + piece if self._held else piece
        view, done = memoryview(held), 0
        sealed = [] if self._number else [HEADER]
        # A whole chunk that is held may be the last one, which is known only at the end.
        while len(held) - done > CHUNK:
            sealed.append(self._cipher.seal(self._number, view[done : done + CHUNK], last=False))
            self._number += 1
            done += CHUNK
        self._held = held[done:]
        return b"".join(sealed) if self._number else b""

    def finish(self) -> bytes:
        """Return the last chunk."""
        sealed = self._cipher.seal(self._number, self._held, last=True)
        return sealed if self._number else HEADER + sealed


class Part(Struct, frozen=True):
    """Plain bytes ``start`` to ``end`` (exclusive) of a blob of ``size`` bytes, and where they are sealed."""

    size: int
    start: int
    end: int

    @property
    def last(self) -> int:
        """Number of the blob's last chunk."""
        return max(self.size - 1, 0) // CHUNK

    @property
    def first_read(self) -> int:
        """Number of the first chunk to read."""
        return self.start // CHUNK

    @property
    def last_read(self) -> int:
        """Number of the last chunk to read."""
        return max(self.end - 1, 0) // CHUNK

    @property
    def sealed_start(self) -> int:
        """Where to begin reading: with the header for the first chunk."""
        return len(HEADER) + self.first_read * (CHUNK + TAG) if self.first_read else 0

    @property
    def sealed_end(self) -> int | None:
        """Where to end reading (exclusive); ``None`` for all there is, so that what was added to a blob is noticed."""
        if self.last_read == self.last and not self.start:
            return None
        return min(len(HEADER) + (self.last_read + 1) * (CHUNK + TAG), len(HEADER) + self.size + (self.last + 1) * TAG)

    def sealed_length(self, number: int) -> int:
        """Return how many bytes a chunk has with its tag."""
        return (self.size - number * CHUNK if number == self.last else CHUNK) + TAG


class Opener:
    """Opens a part of a blob as its sealed bytes come, in pieces of any size, and yields no byte unverified."""

    def __init__(self, cipher: ChunkCipher, part: Part) -> None:
        self._cipher = cipher
        self._part = part
        self._number = part.first_read
        self._held = b""
        self._headed = part.first_read > 0

    def update(self, piece: bytes) -> bytes:
        """Take the next sealed bytes and return the plain ones that they complete.

        :raises BlobDamaged: if they are not what was written.
        """
        held, done = self._held + piece if self._held else piece, 0
        if not self._headed and len(held) >= len(HEADER):
            if not held.startswith(HEADER):
                raise BlobDamaged("The header of an encrypted blob is not what was written.")
            self._headed, done = True, len(HEADER)
        view, plain = memoryview(held), []
        while self._headed and self._number <= self._part.last_read:
            length = self._part.sealed_length(self._number)
            if len(held) - done < length:
                break
            plain.append(self._open(view[done : done + length]))
            self._number += 1
            done += length
        self._held = held[done:]
        if self._held and self._number > self._part.last_read:
            raise BlobDamaged("An encrypted blob is longer than what was written.")
        return b"".join(plain)

    def _open(self, sealed: memoryview) -> bytes:
        number, part = self._number, self._part
        chunk = self._cipher.open(number, sealed, last=number == part.last)
        begins = number * CHUNK
        if begins >= part.start and begins + len(chunk) <= part.end:
            return chunk
        return chunk[max(part.start - begins, 0) : part.end - begins]

    def finish(self) -> None:
        """Say that no more comes; raises :class:`BlobDamaged` if something is missing."""
        if self._number <= self._part.last_read:
            raise BlobDamaged("An encrypted blob is shorter than what was written.")
