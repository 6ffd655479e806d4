import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from docling_core.transforms.serializer.common import DocSerializer
from docling_core.transforms.serializer.doctags import DocTagsDocSerializer
from docling_core.transforms.serializer.markdown import MarkdownDocSerializer
from docling_core.types.doc import (
    BoundingBox,
    DocItemLabel,
    DoclingDocument,
    ImageRef,
    ProvenanceItem,
    RichTableCell,
    Size,
    TableCell,
    TableData,
)
from hypothesis import given, settings, strategies as st
from PIL import Image

from docrefinery.exporters import doctags_serializer, markdown_serializer
from docrefinery.plugin import Exporter
from docrefinery.plugin.registry import load

EXPORTERS = load(()).exporters
KINDS = sorted(EXPORTERS)


def written(kind: str, document: DoclingDocument) -> bytes:
    stream = io.BytesIO()
    EXPORTERS[kind].write(document, stream)
    return stream.getvalue()


def empty() -> DoclingDocument:
    return DoclingDocument(name="empty")


def cell(text: str, row: int, column: int) -> TableCell:
    return TableCell(
        text=text, start_row_offset_idx=row, end_row_offset_idx=row + 1, start_col_offset_idx=column,
        end_col_offset_idx=column + 1,
    )  # fmt: skip


def place() -> ProvenanceItem:
    return ProvenanceItem(page_no=1, bbox=BoundingBox(l=10, t=10, r=90, b=90), charspan=(0, 1))


def report() -> DoclingDocument:
    """Return a document with a heading, a paragraph, a list, a table and two pictures, one of them without image."""
    document = DoclingDocument(name="report")
    document.add_page(page_no=1, size=Size(width=100, height=100))
    document.add_heading("Results", prov=place())
    document.add_text(DocItemLabel.TEXT, "Some *starred* and under_scored text, 1 < 2.", prov=place())
    group = document.add_list_group()
    document.add_list_item("first", parent=group)
    cells = [cell(text, row, column) for row, line in enumerate(["ab", "cd"]) for column, text in enumerate(line)]
    document.add_table(TableData(table_cells=cells, num_rows=2, num_cols=2), prov=place())
    image = ImageRef.from_pil(Image.new("RGB", (4, 3), "red"), dpi=72)
    document.add_picture(image=image, prov=place())
    document.add_picture(prov=place())
    return document


@pytest.fixture(params=KINDS)
def exporter(request: pytest.FixtureRequest) -> Exporter:
    return EXPORTERS[request.param]


def test_a_document_without_anything_is_no_error(exporter: Exporter) -> None:
    stream = io.BytesIO()
    exporter.write(empty(), stream)


def test_the_same_document_makes_the_same_bytes(exporter: Exporter) -> None:
    assert written(exporter.kind, report()) == written(exporter.kind, report())


def test_docling_json_loads_back_as_the_same_document() -> None:
    document = report()
    assert DoclingDocument.model_validate_json(written("docling_json", document)) == document


def test_text_has_the_words_and_no_marks() -> None:
    text = written("text", report()).decode()
    assert text == "Results\n\nSome *starred* and under_scored text, 1 < 2.\n\n- first\n\na\tb\nc\td\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Carleton & Hsiang, AT&T", "Carleton & Hsiang, AT&T"),
        ("&lt; and &#60; and &nosuch", "&amp;lt; and &amp;#60; and &nosuch"),
        ("a < b <= c", "a < b <= c"),
        ("<script>alert(1)</script><!-- x --><?php", "&lt;script>alert(1)&lt;/script>&lt;!-- x -->&lt;?php"),
        ("snake_case_name and __init__", r"snake_case_name and \_\_init\_\_"),
        ("_not emphasis_", r"\_not emphasis\_"),
    ],
)
def test_markdown_escapes_what_would_be_markup_and_nothing_else(text: str, expected: str) -> None:
    document = DoclingDocument(name="x")
    document.add_text(DocItemLabel.TEXT, text)
    assert written("markdown", document).decode() == expected


def test_markdown_has_the_structure() -> None:
    markdown = written("markdown", report()).decode()
    assert "## Results" in markdown
    assert "- first" in markdown
    assert "|" in markdown


def test_doctags_are_one_document_of_tokens() -> None:
    doctags = written("doctags", report()).decode()
    assert doctags.startswith("<doctag>")
    assert doctags.endswith("</doctag>")


def test_chunks_are_the_doctags_in_json_exactly_as_the_guide_says() -> None:
    document = report()
    assert json.loads(written("chunks_json", document)) == {
        "format": "doctags",
        "content": written("doctags", document).decode(),
    }


def test_figures_are_png_files_numbered_by_their_place() -> None:
    with zipfile.ZipFile(io.BytesIO(written("figures_zip", report()))) as archive:
        assert archive.namelist() == ["figure-0001.png"]
        with Image.open(io.BytesIO(archive.read("figure-0001.png"))) as image:
            assert (image.format, image.size) == ("PNG", (4, 3))


def test_without_pictures_the_archive_is_empty_but_an_archive() -> None:
    with zipfile.ZipFile(io.BytesIO(written("figures_zip", empty()))) as archive:
        assert archive.namelist() == []


def test_figures_ask_for_the_images_they_need() -> None:
    assert EXPORTERS["figures_zip"].needs == {"generate_picture_images": True}


@pytest.mark.parametrize(
    ("kind", "suffix", "content_type"),
    [
        ("docling_json", ".json", "application/json"),
        ("markdown", ".md", "text/markdown; charset=utf-8"),
        ("text", ".txt", "text/plain; charset=utf-8"),
        ("doctags", ".doctags.txt", "text/plain; charset=utf-8"),
        ("chunks_json", ".chunks.json", "application/json"),
        ("figures_zip", ".figures.zip", "application/zip"),
    ],
)
def test_names_and_types_are_those_of_the_contract(kind: str, suffix: str, content_type: str) -> None:
    assert (EXPORTERS[kind].suffix, EXPORTERS[kind].content_type) == (suffix, content_type)


TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=40), max_size=6)


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_no_text_makes_an_exporter_fail_and_every_word_is_in_the_plain_text(texts: list[str]) -> None:
    document = empty()
    for text in texts:
        document.add_text(DocItemLabel.TEXT, text)
    for kind in KINDS:
        written(kind, document)
    expected = [text for text in texts if text.strip()]
    assert written("text", document).decode() == "\n\n".join(expected) + "\n" * bool(expected)
    assert DoclingDocument.model_validate_json(written("docling_json", document)) == document


def with_tables(tables: int) -> DoclingDocument:
    """Return a document with tables of text alone, and one with a paragraph in a cell, each with its caption."""
    document = report()
    for number in range(tables):
        caption = document.add_text(DocItemLabel.CAPTION, f"Table {number}", prov=place())
        header = cell("over both", 0, 0).model_copy(
            update={"end_col_offset_idx": 2, "col_span": 2, "column_header": True}
        )
        cells = [header, cell("a", 1, 0), cell("b", 1, 1)]
        document.add_table(TableData(table_cells=cells, num_rows=2, num_cols=2), caption=caption, prov=place())
    rich = document.add_table(TableData(table_cells=[], num_rows=1, num_cols=1), prov=place())
    inside = document.add_text(DocItemLabel.TEXT, "a paragraph of a cell", parent=rich, prov=place())
    inner = RichTableCell(**cell("", 0, 0).model_dump(), ref=inside.get_ref())
    document.add_table_cell(rich, inner)
    return document


def test_doctags_are_doclings_own_whatever_is_in_tables() -> None:
    document = with_tables(3)
    assert written("doctags", document).decode() == document.export_to_doctags()
    assert json.loads(written("chunks_json", document))["content"] == document.export_to_doctags()
    assert "a paragraph of a cell" in document.export_to_doctags()


def test_doctags_of_many_tables_do_not_have_the_document_looked_at_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    validate = DoclingDocument._clamp_provenance_bboxes_to_pages

    def counted(document: DoclingDocument) -> None:
        seen.append(len(document.texts))
        validate(document)

    document = with_tables(20)
    monkeypatch.setattr(DoclingDocument, "_clamp_provenance_bboxes_to_pages", counted)
    written("doctags", document)
    # Once as a whole, and once more for the table that refers to its items.
    assert 0 < sum(seen) <= 2 * len(document.texts)


@pytest.mark.parametrize("kind", ["markdown", "doctags"])
def test_what_is_left_out_is_found_once_for_a_document(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    find = DocSerializer.get_excluded_refs

    def counted(serializer: DocSerializer, **kwargs: Any) -> set[str]:
        seen.append(kwargs)
        return find(serializer, **kwargs)

    monkeypatch.setattr(DocSerializer, "get_excluded_refs", counted)
    written(kind, report())
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (markdown_serializer.Serializer, MarkdownDocSerializer),
        (doctags_serializer.Serializer, DocTagsDocSerializer),
    ],
)
@pytest.mark.parametrize("asked", [{}, {"pages": {1}}, {"pages": {2}}, {"labels": {DocItemLabel.TABLE}}, {"level": 3}])
def test_what_is_left_out_is_what_docling_leaves_out(
    ours: Callable[..., DocSerializer], theirs: Callable[..., DocSerializer], asked: dict[str, Any]
) -> None:
    document = report()
    serializer, docling = ours(doc=document), theirs(doc=document)
    assert serializer.get_excluded_refs() == docling.get_excluded_refs()
    assert serializer.get_excluded_refs(**asked) == docling.get_excluded_refs(**asked)
