import itertools
from collections import Counter

from hypothesis import given, settings, strategies as st

from docrefinery.engine.geometric.model import Page, Word
from docrefinery.engine.geometric.tables import find_tables
from tests.unit.engine.geometric.tables import make

text = st.lists(st.text("abcdefghij0123456789", min_size=1, max_size=5), min_size=1, max_size=2).map(" ".join)
place = st.integers(0, 56).map(lambda at: at * 10.0)


@st.composite
def grids(draw: st.DrawFn) -> tuple[Page, int, int]:
    rows, columns = draw(st.integers(2, 7)), draw(st.integers(2, 6))
    cells = [[draw(text) for _ in range(columns)] for _ in range(rows)]
    cells[0][0] = "names"
    xs = [
        50.0,
        *itertools.accumulate(draw(st.lists(st.integers(72, 85), min_size=columns, max_size=columns)), initial=50),
    ]
    ys = [60.0, *itertools.accumulate(draw(st.lists(st.integers(17, 40), min_size=rows, max_size=rows)), initial=60)]
    made = make.grid(cells, [float(x) for x in xs[1:]], [float(y) for y in ys[1:]])
    made.rules = draw(st.permutations(made.rules))
    return made, rows, columns


@st.composite
def pages(draw: st.DrawFn) -> Page:
    """Anything: words and rules wherever they fall."""
    style = st.sampled_from([0, 0, 0, 1, 2])
    made = [
        Word(letters, left, top, left + make.width(letters), top + make.SIZE, number)
        for letters, left, top, number in draw(
            st.lists(st.tuples(st.text("ab1.", min_size=1, max_size=6), place, place, style), max_size=60)
        )
    ]
    level = draw(st.lists(st.tuples(place, place, place), max_size=12))
    upright = draw(st.lists(st.tuples(place, place, place), max_size=12))
    rules = [make.level(y, min(a, b), max(a, b) + 5) for y, a, b in level]
    return make.page(made, rules + [make.upright(x, min(a, b), max(a, b) + 5) for x, a, b in upright])


def check(page: Page) -> None:
    """Cells cover the grid once, and hold each word that stands on the table once."""
    for table in find_tables(page):
        fields = Counter(
            (row, column)
            for cell in table.cells
            for row in range(cell.row, cell.row + cell.row_span)
            for column in range(cell.column, cell.column + cell.column_span)
        )
        assert fields == Counter((row, column) for row in range(table.rows) for column in range(table.columns))
        standing = Counter(
            letter
            for segment in page.segments
            for word in segment.words
            if table.left <= (word.left + word.right) / 2 <= table.right
            and table.top <= (word.top + word.bottom) / 2 <= table.bottom
            for letter in word.text
        )
        assert Counter(letter for cell in table.cells for letter in cell.text if letter != " ") == standing


@given(grids())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_grid_is_found_as_it_was_drawn(drawn: tuple[Page, int, int]) -> None:
    page, rows, columns = drawn
    [table] = find_tables(page)
    assert (table.rows, table.columns) == (rows, columns)
    check(page)


@given(pages())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_nothing_is_lost_or_doubled(page: Page) -> None:
    check(page)


@given(pages())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_order_of_rules_does_not_matter(page: Page) -> None:
    expected = find_tables(page)
    page.rules = list(reversed(page.rules))
    assert find_tables(page) == expected


def test_large_pages_are_done_in_time() -> None:
    """Not a clock but a size: what would be quadratic here does not end."""
    rows = [[f"{row * column}.5" for column in range(40)] for row in range(250)]
    made = [
        word
        for at, row in enumerate(rows)
        for x, text in enumerate(row)
        for word in make.words(text, 10 + 60 * x, 10 + 14 * at)
    ]
    page = make.page(made, [make.level(8 + 14 * at, 5, 2405) for at in range(251)])
    page.rules += [make.upright(5 + 60 * at, 8, 8 + 14 * 250) for at in range(41)]
    page.width, page.height = 2500, 3600
    page.segments[0].words[0].text = "name"
    [table] = find_tables(page)
    assert len(table.cells) == 10_000
