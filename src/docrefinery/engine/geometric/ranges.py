"""Pages that were read and laid out in one place and are put together in another: what crosses, as data."""

import math
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.tables.model import Table

MOST_CELLS = 1_000_000
"""Cells of a table's grid. No page holds as many."""


class BadPages(ValueError):
    """What is said to be pages is none, or others; the message says what is wrong."""


class Failure(Struct, frozen=True):
    """A page that is missing, and why.

    :param step: when it failed: 0 as it was read, 1 as it was recognised, 2 as it was laid out after that.
    """

    page: int
    reason: str
    step: Literal[0, 1, 2]


class Cut(Struct, frozen=True):
    """The image of a picture: a PNG file, where it is on its page, and its dots per inch."""

    page: int
    box: Box
    dpi: int
    png: bytes


class PageRange(Struct, frozen=True):
    """Pages that follow each other.

    :param layouts: of those that did not fail, in order.
    :param drawn: numbers of the pages that were drawn to be recognised.
    :param ocr: what recognised them, as shown in the job.
    :param unread_scripts: scripts that no OCR language is installed for, and the pages that they are on.
    :param cuts: images of pictures; those that are not among them are cut out when they are wanted.
    """

    first: int
    last: int
    layouts: list[Layout]
    failures: list[Failure] = []
    drawn: list[int] = []
    ocr: dict[str, str] = {}
    unread_scripts: dict[str, list[int]] = {}
    cuts: list[Cut] = []


def encode(pages: PageRange) -> bytes:
    """Return pages as bytes for another process."""
    return msgspec.msgpack.encode(pages)


def decode(content: bytes, first: int, last: int) -> PageRange:
    """Return the pages of such bytes.

    :param first: number of the first page that they must be of.
    :param last: number of the last.
    :raises BadPages: if they are something else, or refer to what is not there.
    """
    try:
        pages = msgspec.msgpack.decode(content, type=PageRange)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPages(f"not pages: {error}") from error
    numbers = [layout.number for layout in pages.layouts]
    named = {*numbers, *(failure.page for failure in pages.failures), *pages.drawn, *(c.page for c in pages.cuts)}
    named.update(*pages.unread_scripts.values())
    if (pages.first, pages.last) != (first, last) or not all(first <= page <= last for page in named):
        raise BadPages(f"not the pages {first} to {last}")
    if numbers != sorted(set(numbers)):
        raise BadPages("pages that come twice, or not in order")
    for layout in pages.layouts:
        _check(layout)
    return pages


def joined(ranges: Iterable[PageRange]) -> PageRange:
    """Return ranges that follow each other as the one that reading them at once would have given."""
    parts = sorted(ranges, key=lambda part: part.first)
    failures = [failure for part in parts for failure in part.failures]
    ocr: dict[str, str] = {}
    languages: dict[str, None] = {}
    scripts: dict[str, list[int]] = {}
    for part in parts:
        ocr |= part.ocr
        languages |= dict.fromkeys(filter(None, part.ocr.get("ocr_languages", "").split("+")))
        for script, pages in part.unread_scripts.items():
            scripts.setdefault(script, []).extend(pages)
    return PageRange(
        parts[0].first,
        parts[-1].last,
        [layout for part in parts for layout in part.layouts],
        # In one run each step follows the one before it, over all pages.
        sorted(failures, key=lambda failure: failure.step),
        [page for part in parts for page in part.drawn],
        ocr | ({"ocr_languages": "+".join(languages)} if languages else {}),
        scripts,
        [cut for part in parts for cut in part.cuts],
    )


def _check(layout: Layout) -> None:
    placed = list(_placed(layout))
    tables = [element for element in placed if isinstance(element, Table)]
    if any(isinstance(line, Line) and not 0 <= line.style < len(layout.styles) for line in placed):
        raise BadPages(f"a style on page {layout.number} that is not there")
    if any(min(table.rows, table.columns) < 0 or table.rows * table.columns > MOST_CELLS for table in tables):
        raise BadPages(f"a table on page {layout.number} that no page can hold")
    if any(
        min(cell.row, cell.column) < 0
        or min(cell.row_span, cell.column_span) < 1
        or cell.row + cell.row_span > table.rows
        or cell.column + cell.column_span > table.columns
        for table in tables
        for cell in table.cells
    ):
        raise BadPages(f"a cell on page {layout.number} outside of its table")
    # One sum of four, which is no number where one of them is none: a long document has a hundred thousand.
    if not all(math.isfinite(each.left + each.top + each.right + each.bottom) for each in placed):
        raise BadPages(f"a place on page {layout.number} that is no number")
    if not all(map(math.isfinite, (layout.width, layout.height, layout.head, layout.foot))):
        raise BadPages(f"measures of page {layout.number} that are no numbers")


def _placed(layout: Layout) -> Iterator[Line | Figure | Table]:
    for column in layout.columns:
        for element in column:
            yield element
            if isinstance(element, Figure):
                yield from element.lines
    yield from layout.aside
