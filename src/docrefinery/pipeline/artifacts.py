"""The parent's look at the files a child says it wrote: none of what it says is believed."""

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from docrefinery.pipeline.outcomes import Artifact, Drawing
from docrefinery.pipeline.protocol import ProtocolError, Written, drawing_name


def accept(workdir: Path, expected: Sequence[str], written: Sequence[Written]) -> tuple[Artifact, ...]:
    """Return the artifacts, measured and hashed by ourselves.

    :param workdir: the folder they must be in.
    :param expected: the kinds that were asked for.
    :param written: what the child says.
    :raises ProtocolError: if a kind is missing or was not asked for, or a file is not a plain file of that folder.
    """
    if sorted(item.kind for item in written) != sorted(expected):
        raise ProtocolError("the artifacts are not those that were asked for")
    return tuple(_accept(workdir, item) for item in written)


def accept_drawings(workdir: Path, *, asked: bool, drawn: Sequence[int]) -> tuple[Drawing, ...]:
    """Return the drawings of pages.

    :param drawn: the pages, as the child says.
    :raises ProtocolError: if none was asked for, a page comes twice, or a file is not a plain file of that folder.
    """
    if (drawn and not asked) or len(set(drawn)) != len(drawn):
        raise ProtocolError("the drawings are not those that were asked for")
    named = [(page, Written(f"drawing of page {page}", drawing_name(page))) for page in drawn]
    return tuple(Drawing(page, _accept(workdir, item).path) for page, item in named)


def _accept(workdir: Path, item: Written) -> Artifact:
    if Path(item.file_name).name != item.file_name or item.file_name in {"", "..", "."}:
        raise ProtocolError(f"the artifact {item.kind} is not named by a plain file name")
    path = workdir / item.file_name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ProtocolError(f"the artifact {item.kind} cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ProtocolError(f"the artifact {item.kind} is not a plain file")
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Artifact(kind=item.kind, path=path, size_bytes=file.tell(), sha256=digest)
