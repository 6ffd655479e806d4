"""Modules of the console by themselves, in the browser that they are for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docling_core.types.doc.labels import DocItemLabel
from hypothesis import given, settings, strategies as st
from playwright.sync_api import Page, Route

from tests.support.browser import URL, console_alone, module
from tests.support.documents import empty, with_everything

STREAM = (
    ": waiting\r\n\r\nid: 1\r\nevent: job.updated\r\ndata: {}\r\n\r\n"
    "id: 2\ndata: erste Zeile: über\ndata: zweite\n\n: waiting\n\nid:3\ndata:x\n\ndata: cut off"
)
# Every way to cut the bytes in two, the middle of a character and of a line's end included.
PARSED = """async ({ module, text }) => {
  const { parse } = await import(module);
  const bytes = new TextEncoder().encode(text);
  const results = new Set();
  for (let at = 0; at <= bytes.length; at++) {
    const events = [];
    const parts = [bytes.slice(0, at), bytes.slice(at)];
    const stream = new ReadableStream({ start(to) { parts.forEach((part) => to.enqueue(part)); to.close(); } });
    for await (const event of parse(stream)) events.push(event);
    results.add(JSON.stringify(events));
  }
  return [...results].map(JSON.parse);
}"""
FOLLOWED = """async ({ module }) => {
  const { events } = await import(module);
  const seen = [];
  for await (const { data } of events("v1/jobs/7/events/", new AbortController().signal)) seen.push(data.n);
  return seen;
}"""
PLACED = """async ({ module, prov, size }) => (await import(module)).placeOf(prov, size)"""
LINKED = """async ({ module, addresses }) => {
  const { h } = await import(module);
  return addresses.map((href) => h("a", { href }, "x").hasAttribute("href"));
}"""
# How many cells of the grid each element covers: a table whose rows differ would be drawn askew.
COVERED = """async ({ module, data }) => {
  const { tableNode } = await import(module);
  const table = tableNode(data);
  const covered = Array.from({ length: data.num_rows }, () => 0);
  [...table.rows].forEach((row, y) => [...row.cells].forEach((cell) => {
    for (let down = 0; down < cell.rowSpan; down++) covered[y + down] += cell.colSpan;
  }));
  return covered;
}"""


RENDERED = """async ({ module, doc }) => {
  const { documentNodes } = await import(module);
  let pictures = 0;
  const { sections } = documentNodes(doc, () => (pictures++, document.createElement("canvas")));
  const all = document.createElement("div");
  all.append(...sections);
  const links = [...all.querySelectorAll("a")].map((link) => link.href);
  return { text: all.textContent, links, pictures, tables: all.querySelectorAll("table").length };
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with console_alone() as page:
        yield page


def test_events_are_the_same_wherever_the_network_cuts_them(page: Page) -> None:
    [events] = page.evaluate(PARSED, {"module": module("stream.js"), "text": STREAM})
    assert events == [
        {"id": "1", "event": "job.updated", "data": "{}"},
        {"id": "2", "data": "erste Zeile: über\nzweite"},
        {"id": "3", "data": "x"},
    ]


def test_a_stream_that_breaks_off_goes_on_after_the_last_event(page: Page) -> None:
    asked: list[str | None] = []
    bodies = ['id: 1\ndata: {"n": 1}\n\nid: 2\ndata: {"n": 2}\n\nid: 3\nda', 'id: 3\ndata: {"n": 3}\n\n']

    def answer(route: Route) -> None:
        asked.append(route.request.headers.get("last-event-id"))
        route.fulfill(status=200 if bodies else 204, body=bodies.pop(0) if bodies else "")

    page.route(f"{URL}/v1/jobs/7/events/", answer)
    assert page.evaluate(FOLLOWED, {"module": module("stream.js")}) == [1, 2, 3]
    assert asked == ["0", "2", "3"]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ({"l": 10, "t": 190, "r": 60, "b": 150, "coord_origin": "BOTTOMLEFT"}, [0.1, 0.05, 0.5, 0.2]),
        ({"l": 10, "t": 10, "r": 60, "b": 50, "coord_origin": "TOPLEFT"}, [0.1, 0.05, 0.5, 0.2]),
        ({"l": 60, "t": 150, "r": 10, "b": 190, "coord_origin": "BOTTOMLEFT"}, [0.1, 0.05, 0.5, 0.2]),
        ({"l": -50, "t": 900, "r": 300, "b": -9, "coord_origin": "BOTTOMLEFT"}, [0, 0, 1, 1]),
    ],
    ids=["counted from below", "counted from above", "corners the wrong way round", "larger than the page"],
)
def test_boxes_are_placed_from_the_top_left(page: Page, box: dict[str, Any], expected: list[float]) -> None:
    prov, size = {"page_no": 1, "bbox": box}, {"width": 100, "height": 200}
    place = page.evaluate(PLACED, {"module": module("reader/geometry.js"), "prov": prov, "size": size})
    assert [place[side] for side in ("left", "top", "width", "height")] == pytest.approx(expected)


@pytest.mark.parametrize("box", [None, {"l": "x", "t": 1, "r": 2, "b": 3}, {"l": 1}])
def test_a_box_that_makes_no_sense_has_no_place(page: Page, box: dict[str, Any] | None) -> None:
    arguments = {"module": module("reader/geometry.js"), "prov": {"bbox": box}, "size": {"width": 9, "height": 9}}
    assert page.evaluate(PLACED, arguments) is None


def test_only_addresses_that_lead_somewhere_become_links(page: Page) -> None:
    fine = ["https://example.com/", "http://example.com/", "mailto:a@example.com", "#/jobs", "blob:https://x/1"]
    bad = [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "x",
    ]
    made = page.evaluate(LINKED, {"module": module("dom.js"), "addresses": fine + bad})
    assert made == [True] * len(fine) + [False] * len(bad)


INDEX = st.integers(-2, 6)
CELLS = st.lists(
    st.fixed_dictionaries(
        {
            "start_row_offset_idx": INDEX,
            "end_row_offset_idx": INDEX,
            "start_col_offset_idx": INDEX,
            "end_col_offset_idx": INDEX,
            "text": st.just("x"),
            "column_header": st.booleans(),
            "row_header": st.booleans(),
        }
    ),
    max_size=12,
)


@given(cells=CELLS, rows=st.integers(1, 5), columns=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_a_table_is_whole_whatever_its_cells_claim(page: Page, cells: list[Any], rows: int, columns: int) -> None:
    data = {"num_rows": rows, "num_cols": columns, "table_cells": cells}
    covered = page.evaluate(COVERED, {"module": module("reader/tablenode.js"), "data": data})
    assert covered == [columns] * rows


def rendered(page: Page, document: dict[str, Any]) -> dict[str, Any]:
    """Return what the reader makes of a document: its text, its links, and how its headings are nested."""
    made: dict[str, Any] = page.evaluate(RENDERED, {"module": module("reader/nodes.js"), "doc": document})
    return made


def test_all_of_a_document_is_shown(page: Page) -> None:
    document = with_everything()
    made = rendered(page, document.export_to_dict())
    # What repeats on every page has its boxes only, and what stands in a figure is seen in it.
    assert [text.text for text in document.texts if text.text not in made["text"]] == ["Header", "In it"]
    assert made["tables"] == len(document.tables)
    assert made["pictures"] == len(document.pictures)


def test_a_link_of_a_document_leads_only_to_the_web(page: Page) -> None:
    document = empty()
    for address in ("https://example.com/", "file:///etc/passwd", "data/page.html"):
        document.add_text(label=DocItemLabel.TEXT, text=address, hyperlink=Path(address))
    given = document.export_to_dict()
    for text, address in zip(given["texts"], ("https://example.com/", "javascript:alert(1)", "//x"), strict=True):
        text["hyperlink"] = address
    assert rendered(page, given)["links"] == ["https://example.com/"]


def test_a_document_that_contains_itself_is_shown_once(page: Page) -> None:
    group = {"self_ref": "#/groups/0", "label": "section", "children": [{"$ref": "#/groups/0"}, {"$ref": "#/texts/0"}]}
    text = {"self_ref": "#/texts/0", "label": "text", "text": "<b>once</b>", "children": [{"$ref": "#/groups/0"}]}
    body = {"children": [{"$ref": "#/groups/0"}, {"$ref": "#/texts/0"}, {"$ref": "#/texts/9"}, {"$ref": "#/body"}, {}]}
    made = rendered(page, {"body": body, "groups": [group], "texts": [text]})
    assert made["text"].count("<b>once</b>") == 1
