"""What looks like a table and is none."""

from docrefinery.engine.geometric.model import Shape
from docrefinery.engine.geometric.tables import find_tables
from tests.unit.engine.geometric.tables import make

PROSE = "the quick brown fox jumps over the lazy dog and runs away from it"


def test_empty_page() -> None:
    assert find_tables(make.page([])) == []


def test_two_columns_of_text() -> None:
    made = []
    for at in range(40):
        made += make.words(PROSE[at % 7 :][:48], 60, 60 + 12 * at) + make.words(PROSE[at % 5 :][:48], 330, 60 + 12 * at)
    assert find_tables(make.page(made)) == []


def test_lists() -> None:
    made = []
    for at in range(12):
        made += make.words("•" if at % 2 else f"{at}.", 60, 60 + 14 * at) + make.words(PROSE[:50], 80, 60 + 14 * at)
    assert find_tables(make.page(made)) == []


def test_contents_with_page_numbers() -> None:
    made = []
    for at in range(12):
        made += make.words(f"{at + 1}", 60, 60 + 14 * at) + make.words("A chapter of the book", 80, 60 + 14 * at)
        made += make.words(". " * 40, 200, 60 + 14 * at) + make.right(str(at * 9 + 1), 540, 60 + 14 * at)
    assert find_tables(make.page(made)) == []


def test_listing_with_line_numbers_between_rules() -> None:
    made = []
    for at in range(8):
        made += make.words(str(at + 1), 60, 60 + 12 * at)
        made += make.words("for each in all: print(each)", 90 + at % 3 * 20, 60 + 12 * at, style=1)
    assert find_tables(make.page(made, [make.level(y, 55, 400) for y in (56, 160)])) == []


def test_box_with_text() -> None:
    made = [word for at in range(5) for word in make.words(PROSE[:40], 104, 104 + 12 * at)]
    rules = [make.level(y, 100, 400) for y in (100, 170)] + [make.upright(x, 100, 170) for x in (100, 400)]
    assert find_tables(make.page(made, rules)) == []


def test_plot_with_a_grid() -> None:
    made = [word for at in range(6) for word in make.right(str(at * 10), 98, 300 - at * 30)]
    made += [word for at in range(6) for word in make.words(str(at), 120 + at * 50, 320)]
    rules = [make.level(305 - at * 30, 100, 400) for at in range(6)]
    rules += [make.upright(100 + at * 50, 155, 305) for at in range(7)]
    assert find_tables(make.page(made, rules, [Shape(101, 156, 399, 304)])) == []


def test_heads_of_pages() -> None:
    made = make.words("A book of tables", 60, 40) + make.right("17", 540, 40)
    made += [word for at in range(40) for word in make.words(PROSE + " " + PROSE[:20], 60, 80 + 12 * at)]
    assert find_tables(make.page(made, [make.level(54, 60, 540)])) == []


def test_equations_with_numbers() -> None:
    made = []
    for at in range(5):
        made += make.words("a + b", 200, 60 + 24 * at) + make.words("=", 260, 60 + 24 * at)
        made += make.words("c - d", 290, 60 + 24 * at) + make.right(f"({at + 1})", 540, 60 + 24 * at)
    assert find_tables(make.page(made)) == []
