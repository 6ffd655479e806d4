"""Docling's hybrid chunker, set up so that no text is lost and nothing is kept from one document to the next."""

import warnings
from collections.abc import Iterator

from docling_core.transforms.chunker import DocChunk, HybridChunker
from docling_core.transforms.chunker.hierarchical_chunker import ChunkingDocSerializer, ChunkingSerializerProvider
from docling_core.transforms.serializer.base import BaseDocSerializer, BaseTableSerializer
from docling_core.transforms.serializer.markdown import MarkdownParams, MarkdownTableSerializer
from docling_core.types.doc import (
    DocItemLabel,
    DoclingDocument,
    ImageRefMode,
    SectionHeaderItem,
    TableItem,
    TextItem,
    TitleItem,
)
from semchunk.semchunk import chunk as split

from docrefinery_rag_chunks.tokens import MOST_TOKENS, Estimate, count

_LONGEST_HEADING = MOST_TOKENS // 8


class _Serializer(ChunkingDocSerializer):
    """Tables as Markdown: a part of a long one repeats its heading and reads as a table."""

    table_serializer: BaseTableSerializer = MarkdownTableSerializer()
    params: MarkdownParams = MarkdownParams(
        image_mode=ImageRefMode.PLACEHOLDER,
        image_placeholder="",
        escape_underscores=False,
        escape_html=False,
        compact_tables=True,
    )


class _Serializers(ChunkingSerializerProvider):
    def get_serializer(self, doc: DoclingDocument) -> BaseDocSerializer:
        return _Serializer(doc=doc)


class _Chunker(HybridChunker):
    def segment(self, doc_chunk: DocChunk, available_length: int, doc_serializer: BaseDocSerializer) -> list[str]:
        if isinstance(doc_chunk.meta.doc_items[0], TableItem):
            return super().segment(doc_chunk, available_length, doc_serializer)
        # Docling's call has semchunk keep every text that it ever counted, and the process lives on.
        pieces = split(doc_chunk.text, available_length, count, memoize=False)
        return [str(piece) for piece in pieces] or [""]


def _with_short_headings(document: DoclingDocument) -> DoclingDocument:
    """Take headings that leave no room for what is under them for text, which they most likely are.

    Docling's chunker would leave them out.
    """
    long = [
        number
        for number, item in enumerate(document.texts)
        if isinstance(item, (TitleItem, SectionHeaderItem)) and count(item.text) > _LONGEST_HEADING
    ]
    if not long:
        return document
    changed = document.model_copy(deep=True)
    for number in long:
        heading = changed.texts[number]
        fields = {name: getattr(heading, name) for name in TextItem.model_fields if name != "label"}
        changed.texts[number] = TextItem.model_construct(label=DocItemLabel.TEXT, **fields)
    return changed


def chunks(document: DoclingDocument) -> Iterator[tuple[DocChunk, str]]:
    """Return the chunks, each with its text in context: its headings before it."""
    chunker = _Chunker(
        tokenizer=Estimate(), serializer_provider=_Serializers(), merge_peers=True, always_emit_headings=True
    )
    with warnings.catch_warnings():
        # It warns of many deep headings that are together longer than a chunk, quoting the document.
        warnings.simplefilter("ignore", UserWarning)
        for chunk in chunker.chunk(_with_short_headings(document)):
            assert isinstance(chunk, DocChunk)
            yield chunk, chunker.contextualize(chunk)
