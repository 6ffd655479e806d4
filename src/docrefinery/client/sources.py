"""A file on its way to the service: counted, hashed and told of as it is read, and read anew when it is sent again."""

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias, cast

from docrefinery.client.errors import ClientError, FileChanged

Progress: TypeAlias = Callable[[int, int | None], None]
"""Is told the bytes of the file that were sent so far, and how many there are, if that is known."""
File: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO


class Source:
    """The file of an upload; ``name`` is what the service is to call it."""

    def __init__(self, file: File, name: str | None = None, progress: Progress | None = None) -> None:
        self._path = Path(file) if isinstance(file, (str, os.PathLike)) else None
        self._given: BinaryIO | None = None
        if isinstance(file, bytes):
            self._given = io.BytesIO(file)
        elif not isinstance(file, (str, os.PathLike)):
            self._given = file
        self._seekable = self._given is None or self._given.seekable()
        self._start = self._given.tell() if self._given is not None and self._seekable else 0
        # A name that the file system holds in no known encoding is sent with question marks.
        self.name = (name or self._named(file)).encode(errors="replace").decode()
        self._progress = progress
        self._reading: _Reading | None = None

    @staticmethod
    def _named(file: File) -> str:
        if isinstance(file, bytes):
            return "document.pdf"
        name = os.fspath(file) if isinstance(file, (str, os.PathLike)) else getattr(file, "name", None)
        return Path(name).name if isinstance(name, str) and name else "document.pdf"

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent again: it was not read yet, or can be read anew."""
        return self._seekable or self._reading is None or not self._reading.count

    @property
    def sha256(self) -> str:
        """Hash of what was sent last, in hex."""
        return self._reading.hash.hexdigest() if self._reading is not None else ""

    def part(self) -> tuple[str, IO[bytes], str]:
        """Open it and return it as httpx takes a part of a form.

        :raises ClientError: if there is nothing left to send.
        """
        if not self.repeatable:
            raise ClientError("The file object cannot be read a second time; give a path, bytes or a seekable file.")
        self.close()
        self._reading = _Reading(self._opened(), self._start if self._seekable else None, self._progress)
        return self.name, cast(IO[bytes], self._reading), "application/pdf"

    def _opened(self) -> BinaryIO:
        if self._path is not None:
            return self._path.open("rb")
        assert self._given is not None
        return self._given

    def close(self) -> None:
        """Close what was opened here; what was given stays open."""
        if self._reading is not None and self._path is not None:
            self._reading.file.close()


class _Reading:
    """One pass over the file; never more of it than there was at its beginning, which is what was promised."""

    def __init__(self, file: BinaryIO, start: int | None, progress: Progress | None) -> None:
        self.file = file
        self._start = start
        self._size = None if start is None else file.seek(0, io.SEEK_END) - start
        self._progress = progress
        self._at = 0
        self.rewind()

    def rewind(self) -> None:
        self.hash = hashlib.sha256()
        self.count = 0
        if self._start is not None:
            self.file.seek(self._start)

    def read(self, size: int = -1) -> bytes:
        left = None if self._size is None else self._size - self.count
        data = self.file.read(size if left is None else left if size < 0 else min(size, left))
        if not data and left:
            raise FileChanged(f"The file became {left} bytes shorter while it was being sent; send it again.")
        self.count += len(data)
        self.hash.update(data)
        if data and self._progress is not None:
            self._progress(self.count, self._size)
        return data

    def tell(self) -> int:
        if self._size is None:
            raise OSError("the length is not known")
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go where httpx goes: to the end and back to learn the length, and to the beginning to read."""
        self._at = (self._size or 0) if whence == io.SEEK_END else offset
        if whence == io.SEEK_SET and offset == 0 and self._start is not None:
            self.rewind()
        return self._at
