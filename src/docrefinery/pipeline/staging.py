"""A job within the child's own folder: its file goes in, its results come out.

The child sees nothing else that is anybody's. And since it may have been taken over by what it opened, this side
follows no link of its making: folders are opened once, and everything is reached from there. One folder serves for all
that is done with a document, one after the other; what is in it is not believed the second time either.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from docrefinery.pipeline import protocol
from docrefinery.pipeline.keeper import ConverterUnavailable
from docrefinery.pipeline.outcomes import Parts
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
    :ivar source: the copy.
    :ivar parts: copies of what was read of it before.
    :ivar results: folder for what the child writes.
    :ivar given_bytes: bytes of the copies.
    :raises OSError: if the file cannot be copied.
    """

    def __init__(self, folder: Path, owner: int | None, source: Path) -> None:
        self._of = folder, source, _state(source)
        self._owner = owner
        self._folder = Path(tempfile.mkdtemp(prefix="job-", dir=folder))
        self.source = self._folder / "source.pdf"
        self.results = self._folder / "results"
        self.parts: Parts = {}
        self.given_bytes = 0
        with ExitStack() as undone:
            undone.callback(remove_tree, self._folder)
            self._descriptor = os.open(self._folder, _FOLDER)
            undone.callback(os.close, self._descriptor)
            os.mkdir(self.results.name, 0o700, dir_fd=self._descriptor)
            self.results_descriptor = os.open(self.results.name, _FOLDER, dir_fd=self._descriptor)
            undone.callback(os.close, self.results_descriptor)
            self._copy(source, self.source.name)
            if owner is not None:
                os.fchown(self.results_descriptor, owner, -1)
                os.fchown(self._descriptor, owner, -1)
            undone.pop_all()

    def is_of(self, folder: Path, source: Path) -> bool:
        """Whether it was made for a child's folder and a job's file as it is now; raises :class:`OSError`."""
        return self._of == (folder, source, _state(source))

    def give(self, parts: Parts) -> None:
        """Copy what was read of the file before; raises :class:`OSError` if that cannot be done."""
        # Names that the child, whose folder it is, cannot have taken.
        mark = secrets.token_hex(8)
        self.parts = {pages: self._folder / f"pages-{mark}-{pages[0]}" for pages in parts}
        for pages, path in parts.items():
            self._copy(path, self.parts[pages].name)

    def close(self) -> None:
        """Remove everything; what the child adds meanwhile goes with the child's own folder."""
        os.close(self.results_descriptor)
        os.close(self._descriptor)
        remove_tree(self._folder, _REMOVAL_SECONDS)

    def _copy(self, path: Path, name: str) -> None:
        """Copy a file; then it is the child's, and may be anything."""
        descriptor = os.open(name, _NEW, 0o600, dir_fd=self._descriptor)
        with os.fdopen(descriptor, "wb") as copy, path.open("rb") as original:
            shutil.copyfileobj(original, copy, 1024 * 1024)
            self.given_bytes += copy.tell()
            # By no name: where the folder is the child's already, that may be another file's by now.
            if self._owner is not None:
                os.fchown(copy.fileno(), self._owner, -1)


class Staging:
    """What a child is given, one document at a time, which stays for whatever is done with it next."""

    def __init__(self) -> None:
        self._kept: tuple[ChildProcess, Staged] | None = None

    @asynccontextmanager
    async def given(self, child: ChildProcess, source: Path, parts: Parts) -> AsyncIterator[Staged]:
        """Have a copy of a file, and of its parts, in a child's folder until :meth:`forget`.

        :raises ConverterUnavailable: if the child cannot be given the files.
        """
        staged = await self._staged(child, source, parts)
        try:
            yield staged
        finally:
            if child.alive:
                self._kept = child, staged
            else:
                await asyncio.to_thread(staged.close)

    async def forget(self) -> None:
        """Take back what has stayed."""
        kept, self._kept = self._kept, None
        if kept is not None:
            child, staged = kept
            if child.alive:
                child.send(protocol.Forget())
            await asyncio.to_thread(staged.close)

    async def _staged(self, child: ChildProcess, source: Path, parts: Parts) -> Staged:
        try:
            staged = await self._of_before(child, source)
            if staged is not None and not parts:
                return staged
            return await _filled(asyncio.to_thread(_fill, staged, child, source, parts))
        except OSError as error:
            raise ConverterUnavailable(f"the converter cannot be given the file: {error.strerror}") from error

    async def _of_before(self, child: ChildProcess, source: Path) -> Staged | None:
        """Take what has stayed if it is of this file, else take it back."""
        if self._kept is None or not self._kept[1].is_of(child.folder, source):
            await self.forget()
            return None
        kept, self._kept = self._kept, None
        return kept[1]


def _fill(staged: Staged | None, child: ChildProcess, source: Path, parts: Parts) -> Staged:
    staged = staged or Staged(child.folder, child.owner, source)
    try:
        staged.give(parts)
    except BaseException:
        staged.close()
        raise
    return staged


async def _filled(filling: Coroutine[Any, Any, Staged]) -> Staged:
    """Wait for a thread that fills a folder; if nobody waits any more, the folder goes when the thread is done."""
    task = asyncio.create_task(filling)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_close)
        raise


def _close(task: asyncio.Task[Staged]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.get_loop().run_in_executor(None, task.result().close)


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes where a file is written to or is another one."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
