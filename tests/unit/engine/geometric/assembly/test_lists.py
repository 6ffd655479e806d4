"""Items of lists, how deep they are, and lists that go on."""

import pytest
from docling_core.types.doc import DoclingDocument, ListItem

from tests.support.pages import Sheet, assembled, items, prose


def listed(document: DoclingDocument) -> list[tuple[int, str, str]]:
    """Return depth (of the first ones 0), mark and text of each item."""
    found = [(depth, item.marker, item.text) for item, depth in document.iterate_items() if isinstance(item, ListItem)]
    first = min((depth for depth, _, _ in found), default=0)
    return [(depth - first, marker, text) for depth, marker, text in found]


def sheet_of(*entries: tuple[int, str], number: int = 1) -> Sheet:
    """Return a page of text and a list, each entry with the steps it is shifted by."""
    sheet = Sheet(number)
    column = sheet.column(72, 72, 468)
    column.put(prose(4))
    for depth, text in entries:
        column.put(text, shift=18 * (depth + 1), space=4)
    column.skip(6)
    column.put(prose(4, 1))
    return sheet


@pytest.mark.parametrize("mark", ["•", "–", "▪", "*", "-", "◦", "➢", "\uf0b7"])
def test_bullets_that_are_written(mark: str) -> None:
    found = listed(assembled(sheet_of((0, f"{mark} Oars of ash"), (0, f"{mark} Sails of flax"))))
    assert found == [(0, mark, "Oars of ash"), (0, mark, "Sails of flax")]


@pytest.mark.parametrize(
    "marks",
    [
        ("1.", "2.", "3."),
        ("1)", "2)", "3)"),
        ("(1)", "(2)", "(3)"),
        ("a)", "b)", "c)"),
        ("(a)", "(b)", "(c)"),
        ("i.", "ii.", "iii."),
        ("1.1.", "1.2.", "1.3."),
        ("1.2.1", "1.2.2", "1.2.3"),
    ],
)
def test_numbers_and_letters(marks: tuple[str, ...]) -> None:
    texts = ["oars of ash are light", "sails of flax are strong", "ropes of hemp hold long"]
    document = assembled(sheet_of(*((0, f"{mark} {text}") for mark, text in zip(marks, texts, strict=True))))
    assert listed(document) == [(0, mark, text) for mark, text in zip(marks, texts, strict=True)]
    assert all(item.enumerated for item in document.texts if isinstance(item, ListItem))


def test_a_number_alone_makes_no_list() -> None:
    assert listed(assembled(sheet_of((0, "7. of March was the day on which it rained")))) == []


def test_bullets_that_are_drawn() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 400)
    column.put(prose(4))
    for text in ("Oars of ash", "Sails of flax", "Ropes of hemp"):
        middle = column.top + 5
        sheet.shape(76, middle - 2, 80, middle + 2)
        column.put(text, shift=16)
    assert [text for _, _, text in listed(assembled(sheet))] == ["Oars of ash", "Sails of flax", "Ropes of hemp"]


def test_bullets_that_stand_apart_from_their_text() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(4))
    for text in ("Oars of ash", "Sails of flax"):
        sheet.text("•", 80, column.top)
        column.put(text, shift=30)
    column.put(prose(4, 1))
    assert [text for _, _, text in listed(assembled(sheet))] == ["Oars of ash", "Sails of flax"]


def test_items_within_items() -> None:
    entries = [
        (0, "• Oars"),
        (1, "– of ash"),
        (1, "– of fir"),
        (2, "◦ which is cheap"),
        (0, "• Sails"),
        (1, "– of flax"),
    ]
    found = listed(assembled(sheet_of(*entries)))
    assert [text for _, _, text in found] == [text[2:] for _, text in entries]
    depths = [depth for depth, _, _ in found]
    assert depths == [depth for depth, _ in entries]


def test_an_item_of_several_lines_is_one() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 300)
    column.put(prose(4))
    for at in range(3):
        sheet.text("•", 80, column.top)
        column.put(prose(3, at), shift=20, space=5)
    assert [text for _, _, text in listed(assembled(sheet))] == [prose(3, at) for at in range(3)]


def test_a_list_goes_on_on_the_next_page() -> None:
    sheets = []
    for number in (1, 2):
        sheet = Sheet(number)
        column = sheet.column(72, 72, 468)
        if number == 1:
            column.put(prose(30))
        for at in range(3):
            column.put(f"• Item {at} of page {number}", shift=18)
        if number == 2:
            column.put(prose(30, 4))
        sheets.append(sheet)
    document = assembled(*sheets)
    assert [text for _, _, text in listed(document)] == [
        f"Item {at} of page {number}" for number in (1, 2) for at in range(3)
    ]
    assert len(document.groups) == 1


def test_an_item_goes_on_on_the_next_page() -> None:
    first, second = Sheet(1), Sheet(2)
    column = first.column(72, 72, 468)
    column.put(prose(5))
    column.put("• Oars of ash, which are light enough for anybody", shift=18)
    column.put("• Sails of flax, as they were always made by those who", shift=18)
    column = second.column(72, 72, 468)
    column.put("lived along the river", shift=27)
    column.put(prose(5, 2))
    document = assembled(first, second)
    assert "Sails of flax, as they were always made by those who lived along the river" in items(document, "list_item")


def test_text_between_two_lists_parts_them() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    for part in range(2):
        column.put(prose(3, part))
        for at in range(2):
            column.put(f"• Item {at} of list {part}", shift=18)
    assert len(assembled(sheet).groups) == 2
