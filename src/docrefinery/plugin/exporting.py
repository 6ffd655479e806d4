"""One exporter at work: what it may do to files, and what it is told when it does something else."""

import inspect
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin.confinement import WroteElsewhere, confined_to
from docrefinery.plugin.descriptors import Exporter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


class BadExport(Exception):
    """An exporter did not raise, but did what an exporter must not do; the message says what to do instead."""


def export(exporter: Exporter, document: "DoclingDocument", path: Path) -> None:
    """Have an exporter write a document to a new file, whose folder and the temporary one are all it may change.

    :raises Exception: whatever ``write`` raises.
    :raises BadExport: if ``write`` returns something, or leaves files beside its own.
    :raises WroteElsewhere: if ``write`` changes something outside of the two folders.
    """
    # The first call of it looks for a folder by writing to it.
    temporary = Path(tempfile.gettempdir())
    before = {*os.listdir(path.parent), path.name}  # noqa: PTH208 - names are all that is compared
    write: Callable[[DoclingDocument, BinaryIO], object] = exporter.write
    with path.open("wb") as stream, confined_to(path.parent, temporary):
        returned = write(document, stream)
    _check_returned(returned)
    if left := sorted(set(os.listdir(path.parent)) - before):  # noqa: PTH208
        raise BadExport(
            f"it left {', '.join(left)} beside its artifact: an exporter makes one file, and writes it to its stream"
        )


def reason(error: BaseException) -> str:
    """Return in words why an export failed."""
    if isinstance(error, (BadExport, WroteElsewhere)):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _check_returned(returned: object) -> None:
    # A lambda returns what `stream.write` returns: how many bytes it wrote.
    if returned is None or isinstance(returned, int):
        return
    if inspect.iscoroutine(returned):
        returned.close()
        raise BadExport("its write is a coroutine function, which nobody awaits: write `def`, not `async def`")
    if inspect.isgenerator(returned):
        raise BadExport("its write is a generator function, which nobody runs: write to the stream, do not `yield`")
    raise BadExport(
        f"its write returned {type(returned).__name__} and nobody takes it: write the bytes with `stream.write(...)`"
    )
