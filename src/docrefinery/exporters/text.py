"""``text``: the words alone, without any mark of Markdown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument, NodeItem


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write paragraphs with an empty line between them; the cells of a table's row are separated by tabs."""
    blocks = (block for item, _ in document.iterate_items() for block in _blocks(item))
    separator = b""
    for block in blocks:
        stream.write(separator + block.encode(errors="replace"))
        separator = b"\n\n"
    if separator:
        stream.write(b"\n")


def _blocks(item: "NodeItem") -> Iterator[str]:
    from docling_core.types.doc import ListItem, TableItem, TextItem

    if isinstance(item, ListItem):
        yield f"{item.marker or '-'} {item.text}"
    elif isinstance(item, TextItem) and item.text.strip():
        yield item.text
    elif isinstance(item, TableItem):
        rows = ("\t".join(" ".join(cell.text.split()) for cell in row) for row in item.data.grid)
        table = "\n".join(row.rstrip() for row in rows)
        if table.strip():
            yield table


TEXT = Exporter(
    kind="text",
    summary="Plain text in reading order.",
    content_type="text/plain; charset=utf-8",
    suffix=".txt",
    write=write,
)
