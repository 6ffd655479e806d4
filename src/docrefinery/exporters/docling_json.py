"""``docling_json``: the document as Docling itself stores it."""

from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write the document so that ``DoclingDocument.model_validate_json`` reads it back."""
    stream.write(document.model_dump_json(by_alias=True, exclude_none=True).encode())


DOCLING_JSON = Exporter(
    kind="docling_json",
    summary="The whole document in Docling's own JSON, from which every other format can be made again.",
    content_type="application/json",
    suffix=".json",
    write=write,
    cost=4,
)
