"""The lines that ``rag_chunks`` writes."""

import gc
import json
import tracemalloc
from typing import Any

import pytest
from docling_core.types.doc import DocItemLabel, DoclingDocument, TableCell, TableData

from docrefinery.plugin import Exporter, Stage
from docrefinery.plugin.testing import check_plugin, documents, exported
from docrefinery_rag_chunks import docrefinery_exporters
from docrefinery_rag_chunks.tokens import MOST_TOKENS, count

DOCUMENTS = documents()


def test_it_keeps_the_contract() -> None:
    check_plugin("docrefinery_rag_chunks")


@pytest.fixture
def rag_chunks() -> Exporter:
    """The exporter."""
    (exporter,) = docrefinery_exporters()
    return exporter


def lines(rag_chunks: Exporter, document: DoclingDocument) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(rag_chunks, document).splitlines()]


def test_its_time_counts_as_chunking(rag_chunks: Exporter) -> None:
    assert rag_chunks.stage is Stage.CHUNKING


def test_each_chunk_says_under_which_headings_and_where_in_the_document_it_stands(rag_chunks: Exporter) -> None:
    first, second, third = lines(rag_chunks, DOCUMENTS["headings and lists"])
    assert first == {
        "index": 0,
        "document": "headings and lists",
        "text": "Text of the first part.",
        "contextualized": "Report\nFirst part\nText of the first part.",
        "tokens": 12,
        "headings": ["Report", "First part"],
        "pages": [1],
        "boxes": [{"page": 1, "l": 72.0, "t": 152.0, "r": 523.0, "b": 182.0, "origin": "TOPLEFT"}],
        "items": [{"ref": "#/texts/2", "label": "text"}],
    }
    assert second["headings"] == ["Report", "First part", "A part of it"]
    assert [item["label"] for item in second["items"]] == ["list_item"] * 3
    assert third["text"] == "Without text"


def test_a_document_without_anything_has_no_lines(rag_chunks: Exporter) -> None:
    assert exported(rag_chunks, DOCUMENTS["empty"]) == b""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_chunk_is_longer_than_a_small_model_takes(rag_chunks: Exporter, name: str) -> None:
    for line in lines(rag_chunks, DOCUMENTS[name]):
        assert line["tokens"] == count(line["contextualized"])
        assert 0 < line["tokens"] <= MOST_TOKENS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_word_of_the_document_is_in_some_chunk(rag_chunks: Exporter, name: str) -> None:
    document = DOCUMENTS[name]
    found = "".join("".join(line["contextualized"].split()) for line in lines(rag_chunks, document))
    words = [word for item in document.texts for word in item.text.split() if len(word) < 1000]
    assert [word for word in words if word not in found] == []


def test_small_neighbours_are_merged_and_headings_part_them(rag_chunks: Exporter) -> None:
    document = DoclingDocument(name="small")
    for heading in ("One", "Two"):
        document.add_heading(heading)
        for word in ("alpha", "beta"):
            document.add_text(DocItemLabel.TEXT, word)
    assert [line["text"] for line in lines(rag_chunks, document)] == ["alpha\nbeta", "alpha\nbeta"]


def test_a_long_paragraph_is_split_at_its_sentences(rag_chunks: Exporter) -> None:
    document = DoclingDocument(name="paragraph")
    document.add_text(DocItemLabel.TEXT, " ".join(f"Sentence number {number} ends here." for number in range(300)))
    found = lines(rag_chunks, document)
    assert len(found) > 3
    assert all(line["text"].endswith("here.") for line in found)


def test_parts_of_a_long_table_repeat_its_heading(rag_chunks: Exporter) -> None:
    document = DoclingDocument(name="table")
    texts = [("Article", "Price"), *((f"Article number {row}", f"{row} euros") for row in range(200))]
    cells = [
        TableCell(
            text=text, start_row_offset_idx=row, end_row_offset_idx=row + 1, start_col_offset_idx=column,
            end_col_offset_idx=column + 1, column_header=row == 0,
        )
        for row, pair in enumerate(texts) for column, text in enumerate(pair)
    ]  # fmt: skip
    document.add_table(TableData(table_cells=cells, num_rows=len(texts), num_cols=2))
    found = lines(rag_chunks, document)
    assert len(found) > 3
    assert all(line["text"].startswith("| Article | Price |\n") for line in found)


def test_a_heading_longer_than_a_chunk_does_not_stop_it(rag_chunks: Exporter) -> None:
    document = DoclingDocument(name="heading")
    document.add_heading("endless " * 1000)
    document.add_text(DocItemLabel.TEXT, "A paragraph under it. " * 200)
    document.add_heading("endless " * 1000)
    texts = [line["text"] for line in lines(rag_chunks, document)]
    assert any("A paragraph under it." in text for text in texts)
    assert texts[-1].startswith("endless")
    assert sum(text.count("endless") for text in texts) == 2000


def test_nothing_of_a_document_is_kept(rag_chunks: Exporter) -> None:
    """The converter process lives on: what it keeps of one document, it would have beside the next one's."""
    tracemalloc.start()
    try:
        held = []
        for _ in range(3):
            exported(rag_chunks, DOCUMENTS["long"])
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[-1] - held[0] < 20_000


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("word", 1), ("wording", 2), ("a, b.", 4), ("你好", 2), ("السلام", 3), ("👩", 1)]
)
def test_tokens_are_counted_by_bytes_of_words_and_by_signs(text: str, tokens: int) -> None:
    assert count(text) == tokens
