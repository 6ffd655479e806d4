"""``doctags``: the document as the tokens of Docling's own markup."""

from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write the document as DocTags."""
    from docrefinery.exporters.doctags_serializer import doctags

    stream.write(doctags(document).encode(errors="replace"))


DOCTAGS = Exporter(
    kind="doctags",
    summary="DocTags: text, structure and places on the page as one sequence of tokens.",
    content_type="text/plain; charset=utf-8",
    suffix=".doctags.txt",
    write=write,
    cost=16,
)
