"""``chunks_json``: the document's tokens in JSON, as the integration guide lays down."""

import json
from typing import TYPE_CHECKING, BinaryIO

from docrefinery.model import Stage
from docrefinery.plugin import Exporter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write ``{"format": "doctags", "content": "<doctag>…</doctag>"}``."""
    from docrefinery.exporters.doctags_serializer import doctags

    chunks = {"format": "doctags", "content": doctags(document)}
    stream.write(json.dumps(chunks, ensure_ascii=False).encode(errors="replace"))


CHUNKS_JSON = Exporter(
    kind="chunks_json",
    summary="The document's tokens (DocTags) in JSON.",
    content_type="application/json",
    suffix=".chunks.json",
    write=write,
    stage=Stage.CHUNKING,
    cost=16,
)
