"""``markdown``: the document for people and language models."""

from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write the document as Markdown; pictures become a comment in their place."""
    from docrefinery.exporters.markdown_serializer import Serializer

    stream.write(Serializer(doc=document).serialize().text.encode(errors="replace"))


MARKDOWN = Exporter(
    kind="markdown",
    summary="Markdown with headings, lists and tables as far as the engine recognised them.",
    content_type="text/markdown; charset=utf-8",
    suffix=".md",
    write=write,
    cost=12,
)
