"""A job within the child's own folder: its file goes in, its results come out.

The child sees nothing else that is anybody's. And since it may have been taken over by what it opened, this side
follows no link of its making: folders are opened once, and everything is reached from there. One folder may serve for
several parts of a document, one after the other; what is in it is not believed the second time either.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from docrefinery.pipeline.keeper import ConverterUnavailable
from docrefinery.pipeline.outcomes import NO_PARTS, Parts
from docrefinery.pipeline.process import ChildProcess
from docrefinery.pipeline.removal import remove_tree

_REMOVAL_SECONDS = 30.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Staged:
    """A job's folder; close it when the child is to work on that file no more.

    :param folder: the child's own folder.
    :param owner: user that the job's files must belong to; ``None`` is this process's own.
    :param source: the job's file, which is copied.
    :param parts: what was read of it before, which is copied as well.
    :ivar source: the copy.
    :ivar parts: those copies.
    :ivar results: folder for what the child writes.
    :ivar given_bytes: bytes of the copies.
    :raises OSError: if the file cannot be copied.
    """

    def __init__(self, folder: Path, owner: int | None, source: Path, parts: Parts = NO_PARTS) -> None:
        self._of = folder, source
        self._folder = Path(tempfile.mkdtemp(prefix="job-", dir=folder))
        self.source = self._folder / "source.pdf"
        self.results = self._folder / "results"
        self.parts: Parts = {pages: self._folder / f"pages-{pages[0]}-{pages[1]}" for pages in parts}
        self._descriptor = os.open(self._folder, _FOLDER)
        try:
            files = {self.source.name: source} | {self.parts[pages].name: parts[pages] for pages in parts}
            self.given_bytes = self._fill(owner, files)
            self.results_descriptor = os.open(self.results.name, _FOLDER, dir_fd=self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            remove_tree(self._folder)
            raise

    def is_of(self, folder: Path, source: Path) -> bool:
        """Whether it was made for a child's folder and a job's file."""
        return self._of == (folder, source)

    def close(self) -> None:
        """Remove everything; what the child adds meanwhile goes with the child's own folder."""
        os.close(self.results_descriptor)
        os.close(self._descriptor)
        remove_tree(self._folder, _REMOVAL_SECONDS)

    def _fill(self, owner: int | None, files: Mapping[str, Path]) -> int:
        """Copy files and return how many bytes that were; then they are the child's, and may be anything."""
        written = 0
        os.mkdir(self.results.name, 0o700, dir_fd=self._descriptor)
        for name, path in files.items():
            descriptor = os.open(name, _NEW, 0o600, dir_fd=self._descriptor)
            with os.fdopen(descriptor, "wb") as copy, path.open("rb") as original:
                shutil.copyfileobj(original, copy, 1024 * 1024)
                written += copy.tell()
        if owner is not None:
            for name in (*files, self.results.name):
                os.chown(name, owner, -1, dir_fd=self._descriptor, follow_symlinks=False)
            os.fchown(self._descriptor, owner, -1)
        return written


class Staging:
    """What children are given, one document at a time: that of which pages are read stays for the next pages of it."""

    def __init__(self) -> None:
        self._kept: Staged | None = None

    @asynccontextmanager
    async def given(self, child: ChildProcess, source: Path, parts: Parts, *, keeps: bool) -> AsyncIterator[Staged]:
        """Have a copy of a file in a child's folder.

        :param keeps: whether it may be the copy of the work before, and stays for the next until :meth:`forget`.
        :raises ConverterUnavailable: if the child cannot be given the file.
        """
        staged = await self._staged(child, source, parts, keeps=keeps)
        try:
            yield staged
        finally:
            if keeps and child.alive:
                self._kept = staged
            else:
                await asyncio.to_thread(staged.close)

    async def forget(self) -> None:
        """Take back what has stayed."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await asyncio.to_thread(kept.close)

    async def _staged(self, child: ChildProcess, source: Path, parts: Parts, *, keeps: bool) -> Staged:
        kept = self._kept
        if kept is not None and keeps and kept.is_of(child.folder, source):
            self._kept = None
            return kept
        await self.forget()
        try:
            return await asyncio.to_thread(Staged, child.folder, child.owner, source, parts)
        except OSError as error:
            raise ConverterUnavailable(f"the converter cannot be given the file: {error.strerror}") from error
