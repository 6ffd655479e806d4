"""Which lines are headings, how deep they are, and which one is the title."""

from typing import Any

import pytest

from tests.support.pages import Column, Sheet, assembled, items, labels, prose


def report(*headings: tuple[str, dict[str, Any]], size: float = 10) -> Sheet:
    """Return a page with a paragraph of text before, between and after headings."""
    sheet = Sheet()
    column = sheet.column(72, 60, 468, size=size)
    column.put(prose(4))
    for at, (text, look) in enumerate(headings, 1):
        column.skip(8)
        column.put(text, **look, space=4)
        column.put(prose(4, at))
    return sheet


def levels(*sheets: Sheet) -> list[tuple[str, int]]:
    return [(item.text, getattr(item, "level", 0)) for item in assembled(*sheets).texts if "header" in item.label.value]


@pytest.mark.parametrize(
    "look",
    [{"size": 14}, {"size": 12}, {"bold": True}, {"size": 13, "bold": True}, {"size": 18, "colour": 0x336699}],
    ids=["larger", "a little larger", "bold", "both", "coloured"],
)
def test_what_is_set_larger_or_bolder_than_the_text_is_a_heading(look: dict[str, Any]) -> None:
    sheet = report(("How boats are built", look), ("How boats are sunk", look))
    assert items(assembled(sheet), "section_header") == ["How boats are built", "How boats are sunk"]


@pytest.mark.parametrize(
    ("text", "look"),
    [
        (prose(9), {"bold": True}),
        ("A sentence in bold letters that ends with a full stop.", {"bold": True}),
        ("An entry of a list, and it goes on,", {"bold": True}),
        ("Only slanted", {"italic": True}),
        ("2019 – 2024", {"size": 9}),
        ("* * *", {"size": 14}),
    ],
    ids=["too long", "a sentence", "goes on", "italic", "smaller", "no words"],
)
def test_what_is_no_heading(text: str, look: dict[str, Any]) -> None:
    assert items(assembled(report((text, look))), "section_header") == []


def test_text_that_is_bold_throughout_has_no_heading_by_weight() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468, bold=True)
    for at in range(5):
        column.put(prose(3, at))
        column.put("A short line", space=3)
    assert items(assembled(sheet), "section_header") == []


def test_levels_follow_size() -> None:
    found = levels(
        report(
            ("Boats and their makers", {"size": 18}),
            ("Made of wood", {"size": 14}),
            ("Made of reed", {"size": 14}),
            ("Harbours and their keepers", {"size": 18}),
        )
    )
    assert [level for _, level in found] == [1, 2, 2, 1]


def test_levels_follow_numbers() -> None:
    look = {"size": 12, "bold": True}
    headings = ["1 Boats", "1.1 Made of wood", "1.1.1 Oak", "1.2 Made of reed", "2 Harbours"]
    found = levels(report(*((text, look) for text in headings)))
    assert found == list(zip(headings, [1, 2, 3, 2, 1], strict=True))


def test_a_number_set_apart_belongs_to_its_heading() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    for at, number in enumerate(("1", "2")):
        top = column.top
        sheet.text(number, 72, top, size=14, bold=True)
        column.put(f"Boats of kind {'AB'[at]}", shift=30, size=14, bold=True)
        column.put(prose(5, at))
    assert items(assembled(sheet), "section_header") == ["1 Boats of kind A", "2 Boats of kind B"]


def test_a_heading_of_two_lines_is_one() -> None:
    look = {"size": 14, "bold": True}
    sheet = report(("A heading so long that it has to go\non in a second line", look), ("Another", look))
    assert items(assembled(sheet), "section_header")[0] == "A heading so long that it has to go on in a second line"


def paper(*front: tuple[str, dict[str, Any]]) -> Sheet:
    """Return the first page of a paper: a title, what stands below it, and two sections."""
    sheet = Sheet()
    column = sheet.column(72, 60, 468)
    column.put("On rivers and what they carry", size=20, bold=True, align="centred", space=14)
    for text, look in front:
        column.put(text, align="centred", **look)
    for at, heading in enumerate(("1 Introduction", "2 Methods")):
        column.skip(8)
        column.put(heading, size=13, bold=True, space=5)
        column.put(prose(8, at))
    return sheet


def test_the_largest_of_the_first_page_is_the_title() -> None:
    document = assembled(paper())
    assert items(document, "title") == ["On rivers and what they carry"]
    assert items(document, "section_header") == ["1 Introduction", "2 Methods"]


@pytest.mark.parametrize(
    "front",
    [
        ("Anna Berg, Karl Tal and Vera Bach", {"size": 12}),
        ("Anna Berg, Karl Tal", {"size": 12, "bold": True}),
        ("anna@rivers.example", {"size": 11}),
        ("12 March 2024", {"size": 12}),
    ],
    ids=["names", "bold names", "an address", "a date"],
)
def test_authors_below_the_title_are_no_headings(front: tuple[str, dict[str, Any]]) -> None:
    document = assembled(paper(front))
    assert items(document, "title") == ["On rivers and what they carry"]
    assert items(document, "section_header") == ["1 Introduction", "2 Methods"]
    assert front[0] in items(document)


def test_a_paper_in_two_columns_has_its_title_above_them() -> None:
    sheet = Sheet()
    sheet.text("On rivers and what they carry", 72, 60, size=20, bold=True, align="centred")
    for left, names in ((72, ("1 Introduction", "2 Methods")), (318, ("3 Results", "4 Ends"))):
        column = sheet.column(left, 110, 222)
        for at, name in enumerate(names):
            column.put(name, size=12, bold=True)
            column.put(prose(7, left + at))
            column.skip(6)
    document = assembled(sheet)
    assert items(document, "title") == ["On rivers and what they carry"]
    assert items(document, "section_header") == ["1 Introduction", "2 Methods", "3 Results", "4 Ends"]


def boxed(column: Column, title: str) -> None:
    top = column.top
    column.put(title, bold=True, shift=10, space=4)
    column.put(prose(2), shift=10, space=12)
    column.sheet.shape(72, top - 4, 540, column.top - 8, 0xDDEEFF)


def test_the_title_of_a_filled_box_is_no_heading() -> None:
    sheet = report(("How boats are built", {"size": 14, "bold": True}))
    column = sheet.column(72, 400, 468)
    column.put(prose(5, 20))
    boxed(column, "A word of warning")
    column.put(prose(5, 21))
    document = assembled(sheet)
    assert items(document, "section_header") == ["How boats are built"]
    assert any("A word of warning" in text for text in items(document))


def test_titles_of_slides_are_headings() -> None:
    sheets = []
    for number in range(1, 5):
        sheet = Sheet(number, 960, 540)
        sheet.text(f"Slide about kind {'ABCD'[number - 1]}", 60, 40, 840, size=36)
        column = sheet.column(60, 140, 840, size=20)
        for at in range(3):
            column.put(f"• {' '.join(prose(1, number + at).split()[:6])}")
        sheets.append(sheet)
    found = [text for label, text in labels(assembled(*sheets)) if label in ("title", "section_header")]
    assert found == [f"Slide about kind {letter}" for letter in "ABCD"]


def test_nothing_of_text_in_one_size_is_a_heading() -> None:
    assert {label for label, _ in labels(assembled(report()))} == {"text"}
