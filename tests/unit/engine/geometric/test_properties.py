"""What holds for every page, however its words and drawings are arranged."""

import re
from collections import Counter
from typing import Any

import msgspec
import pytest
from docling_core.types.doc import DoclingDocument
from hypothesis import HealthCheck, given, settings, strategies as st

from docrefinery.engine.geometric import Layout, assemble, decode, encode
from docrefinery.engine.geometric.layout.gutters import Item
from docrefinery.engine.geometric.layout.order import reading_order
from docrefinery.engine.geometric.model import Box, Page, Rule, Shape, Style, Word
from docrefinery.engine.geometric.page import layout_of
from docrefinery.engine.geometric.reading.words import segment_of
from tests.support.pages import all_words

_WIDTH, _HEIGHT = 612.0, 792.0
_MARK = re.compile(r"Q[a-p]{3}")
_STYLES = [
    Style("Serif", 10),
    Style("Serif-Bold", 10, bold=True),
    Style("Serif", 16),
    Style("Sans", 7),
    Style("Mono", 9, mono=True),
    Style("Serif", 10, direction=270),
    Style("Serif", 10, direction=90),
    Style("Serif", 10, direction=180),
    Style("Serif", 10, direction=-1),
    Style("Serif", 5),
]

checked = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def mark(number: int) -> str:
    """Return a word that no other number has, and that no rule of text changes."""
    return "Q" + "".join(chr(ord("a") + (number >> shift & 15)) for shift in (8, 4, 0))


def coordinates(limit: float) -> st.SearchStrategy[float]:
    return st.integers(0, int(limit / 4)).map(lambda step: 4.0 * step)


def boxes(largest: float = 400) -> st.SearchStrategy[Box]:
    return st.builds(
        lambda left, top, width, height: (left, top, min(_WIDTH, left + width), min(_HEIGHT, top + height)),
        coordinates(_WIDTH - 20),
        coordinates(_HEIGHT - 20),
        st.floats(1, largest),
        st.floats(1, largest),
    )


def _rule(left: float, top: float, length: float, *, horizontal: bool) -> Rule:
    if horizontal:
        return Rule(left, top, min(_WIDTH, left + length), top + 0.5, horizontal)
    return Rule(left, top, left + 0.5, min(_HEIGHT, top + length), horizontal)


def _shape(box: Box, fill: int) -> Shape:
    return Shape(*box, fill=fill)


rules = st.builds(_rule, coordinates(500), coordinates(700), st.floats(4, 500), horizontal=st.booleans())
shapes = st.builds(_shape, boxes(), st.sampled_from([-1, 0xFFFFFF, 0xDDDDDD]))


@st.composite
def blocks(draw: st.DrawFn) -> list[list[tuple[float, float, int]]]:
    """Return lines of words on a raster, as columns and tables have them: left, top, style of each word."""
    left, top = draw(coordinates(450)), draw(coordinates(600))
    rows, columns = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    step, pitch = draw(st.sampled_from([8.0, 12.0, 14.0, 30.0])), draw(st.sampled_from([24.0, 26.0, 60.0, 100.0]))
    style = draw(st.integers(0, len(_STYLES) - 1))
    return [
        [(left + pitch * column, top + step * row, style) for column in range(columns) if left + pitch * column < 580]
        for row in range(rows)
        if top + step * row < _HEIGHT - 20
    ]


@st.composite
def pages(draw: st.DrawFn) -> Page:
    """Return a page with blocks of words and single words, and anything drawn behind them."""
    lines = [line for block in draw(st.lists(blocks(), max_size=5)) for line in block]
    single = st.tuples(coordinates(580), coordinates(770), st.integers(0, len(_STYLES) - 1))
    lines += [[word] for word in draw(st.lists(single, max_size=12))]
    together = draw(st.booleans())
    segments, number = [], 0
    for line in lines:
        words = []
        for left, top, style in line:
            size = _STYLES[style].size
            words.append(Word(mark(number), left, top, left + 2 * size, top + size, style))
            number += 1
        near = len(words) > 1 and words[1].left - words[0].right < 1.2 * _STYLES[words[0].style].size
        segments += [segment_of(words)] if near and together else [segment_of([word]) for word in words]
    return Page(
        number=1,
        width=_WIDTH,
        height=_HEIGHT,
        styles=_STYLES,
        segments=draw(st.permutations(segments)) if draw(st.booleans()) else segments,
        rules=draw(st.lists(rules, max_size=12)),
        shapes=draw(st.lists(shapes, max_size=8)),
        images=draw(st.lists(boxes(), max_size=3)),
    )


def marks_of(page: Page) -> Counter[str]:
    return Counter(word.text for segment in page.segments for word in segment.words)


def marks_in(document: DoclingDocument) -> Counter[str]:
    return Counter(_MARK.findall(" ".join(all_words(document))))


def laid_out(page: Page, **options: Any) -> Layout:
    """Lay out a copy, since lines and tables are changed on the way."""
    return layout_of(msgspec.msgpack.decode(msgspec.msgpack.encode(page), type=Page), **options)


@given(pages())
@checked
def test_no_word_is_lost_and_none_is_there_twice(page: Page) -> None:
    assert marks_in(assemble([laid_out(page)])) == marks_of(page)


@given(pages())
@checked
def test_no_word_is_lost_without_tables(page: Page) -> None:
    document = assemble([laid_out(page, tables=False)])
    assert document.tables == []
    assert marks_in(document) == marks_of(page)


@given(st.lists(pages(), min_size=2, max_size=4))
@settings(checked, max_examples=15)
def test_no_word_is_lost_between_pages(found: list[Page]) -> None:
    layouts = []
    for number, page in enumerate(found, 1):
        page.number = number
        layouts.append(laid_out(page))
    document = assemble(layouts)
    assert marks_in(document) == sum((marks_of(page) for page in found), Counter())
    assert sorted(document.pages) == list(range(1, len(found) + 1))


@given(pages())
@checked
def test_the_same_page_gives_the_same_document(page: Page) -> None:
    first, second = (assemble([laid_out(page)]) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()


@given(pages())
@checked
def test_a_layout_comes_back_from_its_bytes_as_it_was(page: Page) -> None:
    layout = laid_out(page)
    assert encode(decode(encode(layout))) == encode(layout)
    document = assemble([decode(encode(layout))])
    assert document.model_dump_json() == assemble([layout]).model_dump_json()


@given(pages())
@checked
def test_places_are_on_the_page(page: Page) -> None:
    document = assemble([laid_out(page)])
    size = document.pages[1].size
    places = [place for item in (*document.texts, *document.tables, *document.pictures) for place in item.prov]
    for place in places:
        box = place.bbox
        assert -1 <= box.l <= box.r <= size.width + 1
        assert -1 <= box.b <= box.t <= size.height + 1


@given(st.lists(st.builds(Item, boxes(), st.integers(0, 100)), max_size=80))
@checked
def test_the_reading_order_has_each_item_once(found: list[Item]) -> None:
    order = reading_order(found)
    assert sorted(index for column in order for index in column) == list(range(len(found)))
    assert all(order)
    assert reading_order(found) == order


def test_a_page_with_nothing_on_it_is_a_page() -> None:
    document = assemble([layout_of(Page(1, _WIDTH, _HEIGHT))])
    assert list(document.pages) == [1]
    assert (document.texts, document.tables, document.pictures) == ([], [], [])


def test_no_pages_are_an_empty_document() -> None:
    assert list(assemble([]).pages) == []


@pytest.mark.parametrize("count", [3, 4, 5])
def test_words_in_a_row_of_any_count_are_all_there(count: int) -> None:
    words = [Word(mark(at), 72 + 100.0 * at, 72, 92 + 100.0 * at, 82, 0) for at in range(count)]
    page = Page(1, _WIDTH, _HEIGHT, styles=_STYLES, segments=[segment_of([word]) for word in words])
    assert marks_in(assemble([layout_of(page)])) == marks_of(page)
