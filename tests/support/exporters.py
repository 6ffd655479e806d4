"""Exporters made in tests."""

from collections.abc import Callable
from typing import Any, BinaryIO

from docling_core.types.doc import DoclingDocument

from docrefinery.plugin import Exporter


def exporter(write: Callable[[DoclingDocument, BinaryIO], Any], **changes: Any) -> Exporter:
    """Return an exporter of the kind `made` that is fine but for ``write`` and the changes."""
    fields: dict[str, Any] = {
        "kind": "made", "summary": "A test.", "content_type": "text/plain; charset=utf-8", "suffix": ".made.txt",
    }  # fmt: skip
    return Exporter(write=write, **{**fields, **changes})


def fine(document: DoclingDocument, stream: BinaryIO) -> None:
    """Write the document's name."""
    stream.write(document.name.encode())
