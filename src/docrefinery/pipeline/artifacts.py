"""The parent's look at the files a child says it wrote: none of what it says is believed.

What is accepted is a copy out of the child's reach, so that what was looked at is what is published.
"""

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from docrefinery.errors import ExportFailed
from docrefinery.pipeline.contents import BadContent, check
from docrefinery.pipeline.outcomes import Artifact, Drawing
from docrefinery.pipeline.protocol import Written, drawing_name

LARGEST = 2 * 1024**3
"""Bytes of one result. No honest document comes near."""
_BLOCK = 1024 * 1024
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def accept(
    results: int, workdir: Path, expected: Sequence[str], types: Mapping[str, str], written: Sequence[Written]
) -> tuple[Artifact, ...]:
    """Return the artifacts, copied, measured, hashed and looked into by ourselves.

    :param results: descriptor of the folder they must be in.
    :param workdir: the folder they are copied to.
    :param expected: the kinds that were asked for.
    :param types: media types that are declared for them.
    :param written: what the child says.
    :raises ExportFailed: if a kind is missing or was not asked for, two are one file, one is not a plain file of that
        folder, or is not what its exporter declares.
    """
    if sorted(item.kind for item in written) != sorted(expected):
        raise ExportFailed("the results are not those that were asked for")
    return tuple(_accept(results, workdir, item, types.get(item.kind, "")) for item in written)


def accept_drawings(results: int, workdir: Path, *, asked: bool, drawn: Sequence[int]) -> tuple[Drawing, ...]:
    """Return the drawings of pages.

    :param drawn: the pages, as the child says.
    :raises ExportFailed: if none was asked for, a page comes twice, or a file is another result or not a plain file of
        that folder.
    """
    if (drawn and not asked) or len(set(drawn)) != len(drawn):
        raise ExportFailed("the drawings are not those that were asked for")
    named = [(page, Written(f"drawing of page {page}", drawing_name(page))) for page in drawn]
    return tuple(Drawing(page, _accept(results, workdir, item, "image/png").path) for page, item in named)


def accept_file(results: int, workdir: Path, name: str) -> Path:
    """Return a copy of a file that is no artifact; raises :class:`ExportFailed` as :func:`accept` does."""
    return _accept(results, workdir, Written("pages", name), "").path


def _accept(results: int, workdir: Path, item: Written, content_type: str) -> Artifact:
    if Path(item.file_name).name != item.file_name or item.file_name in {"", "..", "."} or "\0" in item.file_name:
        raise _refused(item, "is not named by a plain file name")
    try:
        descriptor = os.open(item.file_name, _READ, dir_fd=results)
    except OSError as error:
        raise _refused(item, f"cannot be opened: {error.strerror}") from error
    path = workdir / item.file_name
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise _refused(item, "is not a plain file")
        try:
            with path.open("xb") as copy:
                size, digest = _copied(file, copy)
        except FileExistsError as error:
            raise _refused(item, "is the same file as another one") from error
    if size > LARGEST:
        raise _refused(item, f"has more than {LARGEST} bytes")
    try:
        check(path, item.kind, content_type)
    except BadContent as error:
        raise _refused(item, str(error)) from error
    return Artifact(kind=item.kind, path=path, size_bytes=size, sha256=digest)


def _copied(file: BinaryIO, copy: BinaryIO) -> tuple[int, str]:
    """Copy a file, as far as it is not too large; return how much that was, and its hash."""
    size, digest = 0, hashlib.sha256()
    while size <= LARGEST and (block := file.read(_BLOCK)):
        size += len(block)
        digest.update(block)
        copy.write(block)
    return size, digest.hexdigest()


def _refused(item: Written, why: str) -> ExportFailed:
    return ExportFailed(f"the result {item.kind!r} {why}; it is not published", details={"kind": item.kind})
