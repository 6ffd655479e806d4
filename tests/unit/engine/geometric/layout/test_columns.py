"""In which order the columns of a page are read."""

import pytest

from docrefinery.engine.geometric.page import layout_of
from tests.support.pages import Sheet, assembled, items, prose


def written(sheet: Sheet, left: float, top: float, width: float, first: int, count: int = 3) -> list[str]:
    """Write paragraphs of their own into a column, and return them."""
    column = sheet.column(left, top, width)
    paragraphs = [f"Number {first + at} says: {prose(4, first + at)}" for at in range(count)]
    for paragraph in paragraphs:
        column.put(paragraph)
    return paragraphs


@pytest.mark.parametrize(
    ("lefts", "width"), [((72,), 468), ((72, 318), 222), ((60, 230, 400), 152)], ids=["one", "two", "three"]
)
def test_columns_are_read_one_after_the_other(lefts: tuple[int, ...], width: int) -> None:
    sheet = Sheet()
    expected = [
        text for at, left in enumerate(lefts) for text in written(sheet, left=left, top=72, width=width, first=10 * at)
    ]
    assert items(assembled(sheet)) == expected


def test_columns_are_read_in_order_whatever_the_order_of_the_file() -> None:
    sheet = Sheet()
    right = written(sheet, 318, 72, 222, first=10)
    left = written(sheet, 72, 72, 222, first=0)
    assert items(assembled(sheet)) == left + right


def test_lines_that_the_file_has_row_by_row_are_still_columns() -> None:
    sheet = Sheet()
    left, right = written(sheet, 72, 72, 222, first=0), written(sheet, 318, 72, 222, first=10)
    sheet.page.segments.sort(key=lambda segment: (segment.top, segment.left))
    assert items(assembled(sheet)) == left + right


def test_a_title_across_the_columns_comes_first() -> None:
    sheet = Sheet()
    left, right = written(sheet, 72, 120, 222, first=0), written(sheet, 318, 120, 222, first=10)
    sheet.text("A title over both", 72, 72, size=20, align="centred")
    assert items(assembled(sheet)) == ["A title over both", *left, *right]


def test_a_heading_across_the_columns_parts_them() -> None:
    sheet = Sheet()
    expected = written(sheet, 72, 72, 222, first=0) + written(sheet, 318, 72, 222, first=10)
    sheet.text("The second half of everything", 72, 400, size=15, bold=True, align="centred")
    expected += ["The second half of everything"]
    expected += written(sheet, 72, 440, 222, first=20) + written(sheet, 318, 440, 222, first=30)
    assert items(assembled(sheet)) == expected


def test_a_figure_across_the_columns_parts_them() -> None:
    sheet = Sheet()
    expected = written(sheet, 72, 72, 222, first=0) + written(sheet, 318, 72, 222, first=10)
    sheet.image(72, 380, 540, 480)
    expected += ["", *written(sheet, 72, 500, 222, first=20), *written(sheet, 318, 500, 222, first=30)]
    assert items(assembled(sheet)) == expected


def test_notes_on_the_margin_are_no_part_of_the_text() -> None:
    sheet = Sheet()
    main = written(sheet, 200, 72, 350, first=0, count=5)
    note = (
        "A note on the margin that runs over several short lines beside "
        "the text of this page and has more to say about it."
    )
    sheet.column(60, 72, 110, size=8).put(note)
    assert sorted(items(assembled(sheet))) == sorted([note, *main])


def test_a_line_below_the_columns_comes_last() -> None:
    sheet = Sheet()
    left, right = written(sheet, 72, 72, 222, first=0), written(sheet, 318, 72, 222, first=10)
    sheet.text("Set in one piece below the two columns of this page, and as wide as both of them are.", 72, 420)
    assert items(assembled(sheet))[: len(left + right)] == left + right


def test_columns_of_a_page_turned_on_its_side_are_those_of_the_page_upright() -> None:
    sheet = Sheet(width=792, height=612)
    left, right = written(sheet, 60, 72, 320, first=0), written(sheet, 412, 72, 320, first=10)
    assert [len(column) > 3 for column in layout_of(sheet.page).columns] == [True, True]
    assert items(assembled(sheet)) == left + right


def test_a_short_last_line_does_not_open_a_column() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    expected = [f"{prose(2, at)} Few words." for at in range(12)]
    for text in expected:
        column.put(text)
    assert len(layout_of(sheet.page).columns) == 1
    assert items(assembled(sheet)) == expected
