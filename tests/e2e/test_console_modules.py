"""Modules of the console by themselves, in the browser that they are for."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from playwright.sync_api import Page

from tests.support.browser import Tab, chromium
from tests.support.refinery import Refinery

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


@pytest.fixture(scope="module")
def page(refinery: Refinery) -> Iterator[Page]:
    with chromium() as browser:
        tab = Tab(browser, refinery.url)
        yield tab.go()
        tab.close()


def module(page: Page, path: str) -> str:
    """Return the address of a module of the build that is open."""
    main: str = page.locator("script[type=module]").evaluate("(script) => script.src")
    return main.replace("main.js", path)


def test_events_are_the_same_wherever_the_network_cuts_them(page: Page) -> None:
    [events] = page.evaluate(PARSED, {"module": module(page, "stream.js"), "text": STREAM})
    assert events == [
        {"id": "1", "event": "job.updated", "data": "{}"},
        {"id": "2", "data": "erste Zeile: über\nzweite"},
        {"id": "3", "data": "x"},
    ]


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
    place = page.evaluate(PLACED, {"module": module(page, "reader/geometry.js"), "prov": prov, "size": size})
    assert [place[side] for side in ("left", "top", "width", "height")] == pytest.approx(expected)


@pytest.mark.parametrize("box", [None, {"l": "x", "t": 1, "r": 2, "b": 3}, {"l": 1}])
def test_a_box_that_makes_no_sense_has_no_place(page: Page, box: dict[str, Any] | None) -> None:
    arguments = {"module": module(page, "reader/geometry.js"), "prov": {"bbox": box}, "size": {"width": 9, "height": 9}}
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
    made = page.evaluate(LINKED, {"module": module(page, "dom.js"), "addresses": fine + bad})
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
    covered = page.evaluate(COVERED, {"module": module(page, "reader/tablenode.js"), "data": data})
    assert covered == [columns] * rows
