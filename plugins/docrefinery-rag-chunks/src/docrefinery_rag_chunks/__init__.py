"""``rag_chunks``: the document in pieces that fit an embedding model, each with where it comes from."""

import json
from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter, Stage, hookimpl

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write one JSON object a line and chunk."""
    from docrefinery_rag_chunks.records import records

    lines = (json.dumps(record, ensure_ascii=False) for record in records(document))
    stream.writelines(line.encode(errors="replace") + b"\n" for line in lines)


@hookimpl
def docrefinery_exporters() -> list[Exporter]:
    """Return this plugin's one exporter."""
    return [
        Exporter(
            kind="rag_chunks",
            summary="Retrieval chunks as JSON Lines, with headings, pages, boxes and an estimate of their tokens.",
            content_type="application/x-ndjson",
            suffix=".rag.jsonl",
            write=write,
            stage=Stage.CHUNKING,
        )
    ]
