"""What is written of each chunk."""

from collections.abc import Iterator
from typing import Any

from docling_core.transforms.chunker import DocChunk
from docling_core.types.doc import DocItem, DoclingDocument, TextItem

from docrefinery_rag_chunks.chunking import chunks
from docrefinery_rag_chunks.tokens import count

_PLACES = 2


def records(document: DoclingDocument) -> Iterator[dict[str, Any]]:
    """Return one record a chunk, in reading order."""
    for index, (chunk, in_context) in enumerate(chunks(document)):
        yield _record(document, index, chunk, in_context)


def _record(document: DoclingDocument, index: int, chunk: DocChunk, in_context: str) -> dict[str, Any]:
    boxes = [box for item in chunk.meta.doc_items for box in _boxes(item)]
    text = chunk.text or _last_heading(document, chunk)
    in_context = in_context.strip() or text
    return {
        "index": index,
        "document": document.name,
        "text": text,
        "contextualized": in_context,
        "tokens": count(in_context),
        "headings": chunk.meta.headings or [],
        "pages": sorted({box["page"] for box in boxes}),
        "boxes": boxes,
        "items": [{"ref": item.self_ref, "label": item.label.value} for item in chunk.meta.doc_items],
    }


def _last_heading(document: DoclingDocument, chunk: DocChunk) -> str:
    """Return what the chunk of a section says that has nothing but headings."""
    # Of the items in a chunk the chunker has kept what all items have, which is not the text.
    last = chunk.meta.doc_items[-1].get_ref().resolve(document)
    return last.text if isinstance(last, TextItem) else ""


def _boxes(item: DocItem) -> Iterator[dict[str, Any]]:
    for place in item.prov:
        box = place.bbox
        sides = {side: round(value, _PLACES) for side, value in zip("ltrb", (box.l, box.t, box.r, box.b), strict=True)}
        yield {"page": place.page_no, **sides, "origin": box.coord_origin.value}
