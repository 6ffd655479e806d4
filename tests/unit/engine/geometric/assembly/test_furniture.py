"""Headers and footers, and what is none."""

from collections.abc import Callable

import pytest
from docling_core.types.doc import ContentLayer, DoclingDocument

from tests.support.pages import Sheet, assembled, items, prose


def furniture(document: DoclingDocument) -> list[str]:
    return [item.text for item in document.texts if item.content_layer is ContentLayer.FURNITURE]


def book(pages: int, head: Callable[[int], str], foot: Callable[[int], str]) -> list[Sheet]:
    """Return pages full of text with what a header and a footer say on each."""
    sheets = []
    for number in range(1, pages + 1):
        sheet = Sheet(number)
        if head(number):
            sheet.text(head(number), 72, 30, size=8, align="left")
        column = sheet.column(72, 72, 468)
        for at in range(9):
            column.put(f"Page {number} says in part {at}: {prose(5, 9 * number + at)}")
        if foot(number):
            sheet.text(foot(number), 72, 750, size=8, align="centred")
        sheets.append(sheet)
    return sheets


@pytest.mark.parametrize(
    ("head", "foot"),
    [
        (lambda _: "Report of the river commission", lambda _: "Printed in the year of the flood"),
        (lambda page: "Anna Berg" if page % 2 else "On rivers", lambda _: ""),
        (lambda _: "", lambda page: f"{page}"),
        (lambda _: "", lambda page: f"Page {page} of 6"),
        (lambda _: "", lambda page: f"- {page} -"),
        (lambda page: f"Report of the river commission {page}", lambda page: f"{page}/6"),
    ],
    ids=["repeated", "alternating", "number", "number of", "dashed number", "with numbers"],
)
@pytest.mark.parametrize("pages", [6])
def test_what_is_repeated_at_the_edge_is_furniture(
    pages: int, head: Callable[[int], str], foot: Callable[[int], str]
) -> None:
    document = assembled(*book(pages, head, foot))
    written = [text for page in range(1, pages + 1) for text in (head(page), foot(page)) if text]
    assert sorted(furniture(document)) == sorted(written)
    assert not any(text in items(document) for text in written)
    assert len(items(document)) == 9 * pages


@pytest.mark.parametrize("pages", [2, 3])
def test_short_documents_have_furniture_too(pages: int) -> None:
    document = assembled(*book(pages, lambda _: "Report of the river commission", lambda page: f"{page}"))
    assert len(furniture(document)) == 2 * pages


def test_heads_that_change_with_every_page() -> None:
    names = ["Boats", "Oars", "Sails", "Ropes", "Nets", "Anchors", "Masts", "Keels"]
    document = assembled(*book(8, lambda page: f"{names[page - 1]} and how they are made", lambda _: ""))
    assert len([text for text in furniture(document) if text.endswith("how they are made")]) >= 7


def test_the_number_of_a_single_page_is_furniture() -> None:
    assert furniture(assembled(*book(1, lambda _: "", lambda _: "17"))) == ["17"]


def test_headers_and_footers_are_told_apart() -> None:
    document = assembled(*book(4, lambda _: "Report of the river commission", lambda page: f"{page}"))
    found = [(item.label.value, item.text) for item in document.texts if item.content_layer is ContentLayer.FURNITURE]
    assert found[:2] == [("page_header", "Report of the river commission"), ("page_footer", "1")]


def test_text_at_the_edge_of_a_page_is_none() -> None:
    document = assembled(*book(4, lambda _: "", lambda _: ""))
    assert furniture(document) == []


def test_titles_of_slides_are_none_though_repeated() -> None:
    sheets = []
    for number in range(1, 5):
        sheet = Sheet(number, 960, 540)
        sheet.text("What boats are", 60, 30, 840, size=32)
        column = sheet.column(60, 140, 840, size=18)
        for at in range(5):
            column.put(prose(1, number + at))
        sheets.append(sheet)
    assert furniture(assembled(*sheets)) == []


def test_a_logo_on_every_page_is_furniture() -> None:
    sheets = book(4, lambda _: "", lambda _: "")
    for sheet in sheets:
        sheet.image(480, 20, 540, 50)
    document = assembled(*sheets)
    assert [picture.content_layer for picture in document.pictures] == [ContentLayer.FURNITURE] * 4


@pytest.mark.parametrize(("bottom", "found"), [(550, ["stamped"]), (400, [])])
def test_a_stamp_up_the_margin_is_furniture_and_a_label_there_is_not(bottom: float, found: list[str]) -> None:
    sheet = book(1, lambda _: "", lambda _: "")[0]
    sheet.text("stamped", 20, 300, direction=270, size=12)
    (word,) = sheet.page.segments[-1].words
    for each in (word, sheet.page.segments[-1]):
        each.left, each.top, each.right, each.bottom = 20, 300, 32, bottom
    assert furniture(assembled(sheet)) == found


@pytest.mark.parametrize(
    "line",
    ["Total: {}00 EUR", "Patient: Name{} Surname{}", "{} g/dl Haemoglobin", "Sample {} was heated to 10{} degrees."],
)
def test_lines_at_the_edge_with_other_numbers_on_each_page_are_text(line: str) -> None:
    sheets = []
    for page in range(1, 6):
        sheet = Sheet(page)
        sheet.text(line.replace("{}", str(page)), 72, 60)
        sheet.column(72, 110, 468).put(prose(20, page))
        sheet.text(line.replace("{}", str(page + 7)), 72, 740)
        sheets.append(sheet)
    found = items(assembled(*sheets))
    for page in range(1, 6):
        assert line.replace("{}", str(page)) in found
        assert line.replace("{}", str(page + 7)) in found


def test_a_line_at_the_foot_of_a_page_and_notes_are_no_footers() -> None:
    sheets = []
    for page in range(1, 4):
        sheet = Sheet(page)
        sheet.column(72, 72, 468).put(prose(20, page))
        sheet.rule(72, 715, 540)
        glued_note(sheet, page)
        sheets.append(sheet)
    last = Sheet(4)
    last.column(72, 72, 468).put(prose(10, 4))
    last.text("The total sum to be paid is 4711 EUR", 72, 730)
    document = assembled(*sheets, last)
    found = " ".join(items(document))
    assert "The total sum to be paid is 4711 EUR" in found
    for page in range(1, 4):
        assert f"See the ledger of {1900 + page}." in found


def glued_note(sheet: Sheet, page: int) -> None:
    """Put a note with a raised mark at the foot of a page."""
    sheet.text(str(page), 72, 720, 10, size=5)
    sheet.text(f"See the ledger of {1900 + page}.", 75, 722, 300, size=8)
