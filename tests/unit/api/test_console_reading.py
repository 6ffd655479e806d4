"""How the console reads what was made of a document: chunks with their pages, figures of any shape."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from docling_core.types.doc import DocItemLabel, DoclingDocument, Size, TableCell, TableData
from playwright.sync_api import Page

from docrefinery.exporters.chunks_json import write
from tests.support.browser import console_alone, module
from tests.support.documents import HEIGHT, place

CHUNKED = """async ({ module, text, doc }) => (await import(module)).chunksOf(text, doc)"""
FRAMED = """async ({ module, box }) => {
  const { figureMaker } = await import(module);
  const doc = { pages: { 1: { size: { width: 612, height: 792 } } } };
  const left = new AbortController();
  const frame = figureMaker(doc, new Promise(() => {}), left.signal)({ prov: [{ page_no: 1, bbox: box }] });
  document.body.append(frame);
  const { width, height } = frame.getBoundingClientRect();
  frame.remove();
  left.abort();
  return [width, height];
}"""

CELL = TableData(
    table_cells=[
        TableCell(text="x", start_row_offset_idx=0, end_row_offset_idx=1, start_col_offset_idx=0, end_col_offset_idx=1)
    ],
    num_rows=1,
    num_cols=1,
)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with console_alone() as page:
        yield page


def chunks(page: Page, text: str, document: DoclingDocument) -> list[dict[str, Any]]:
    """Return what the console makes of the text of an artifact."""
    arguments = {"module": module("reader/chunks.js"), "text": text, "doc": document.export_to_dict()}
    made: list[dict[str, Any]] = page.evaluate(CHUNKED, arguments)
    return made


def pages(first: int, last: int) -> DoclingDocument:
    """Return a document of a range of pages, with nothing on them."""
    document = DoclingDocument(name="part")
    for number in range(first, last + 1):
        document.add_page(page_no=number, size=Size(width=612, height=HEIGHT))
    return document


def exported(document: DoclingDocument) -> str:
    """Return its chunks as the exporter writes them."""
    stream = BytesIO()
    write(document, stream)
    return stream.getvalue().decode()


def test_chunks_name_their_pages_wherever_a_part_begins_and_a_list_goes_on(page: Page) -> None:
    document = pages(5, 11)
    for number in (5, 6):
        document.add_heading(f"On {number}", prov=place(100, 50, 300, 80, number))
    entries = document.add_list_group()
    for number in (6, 7, 7, 8):
        document.add_list_item(f"On {number}", parent=entries, prov=place(100, 90 + number, 300, 110 + number, number))
    document.add_table(CELL, prov=place(100, 300, 300, 400, 8))
    document.add_picture(prov=place(0, 0, 612, HEIGHT, 10))
    document.add_text(DocItemLabel.TEXT, "On 11", prov=place(100, 50, 300, 80, 11))
    made = chunks(page, exported(document), document)
    assert [chunk["page"] for chunk in made] == [5, 6, 6, 7, 7, 8, 8, 10, 11]
    told = [chunk for chunk in made if "On" in chunk["text"]]
    assert [chunk["text"] for chunk in told] == [f"On {chunk['page']}" for chunk in told]


def test_a_chunk_whose_place_is_nowhere_names_no_page(page: Page) -> None:
    text = json.dumps({"format": "doctags", "content": "<doctag><text><loc_1><loc_2><loc_3><loc_4>x</text></doctag>"})
    assert chunks(page, text, pages(1, 1)) == [{"label": "Text", "page": None, "text": "x"}]


@pytest.mark.parametrize("marks", ["<a>" * 100_000, "".join(f"<a{number}>" for number in range(50_000))])
def test_text_that_looks_like_tags_without_an_end_is_read_at_once(page: Page, marks: str) -> None:
    text = json.dumps({"format": "doctags", "content": f"<doctag>{marks}<text>The end</text></doctag>"})
    assert [chunk["text"] for chunk in chunks(page, text, pages(1, 1))] == ["The end"]


@pytest.mark.parametrize(
    ("across", "down", "expected"),
    [(0.5, 700, (0.7, 960)), (600, 0.5, (480, 2)), (200, 150, (250, 187.5))],
    ids=["a thin one", "a flat one", "an ordinary one"],
)
def test_a_figure_is_no_taller_than_a_screen(
    page: Page, across: float, down: float, expected: tuple[float, float]
) -> None:
    box = {"l": 6, "t": 46, "r": 6 + across, "b": 46 + down, "coord_origin": "TOPLEFT"}
    framed = page.evaluate(FRAMED, {"module": module("reader/figures.js"), "box": box})
    assert framed == pytest.approx(expected, abs=2)
