"""Captions with their figures and tables, and footnotes."""

import pytest
from docling_core.types.doc import DocItem

from tests.support.pages import Sheet, assembled, glued, items, prose


def caption_of(item: DocItem, document: object) -> str:
    return item.caption_text(document)  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize(
    "caption", ["Figure 1: A boat.", "Fig. 2. A boat", "Abbildung 3: Ein Boot", "FIGURE 4 – A boat"]
)
@pytest.mark.parametrize("below", [True, False], ids=["below", "above"])
def test_a_caption_belongs_to_its_figure(caption: str, *, below: bool) -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(5))
    if not below:
        column.put(caption, size=9, align="centred")
    sheet.image(150, column.top, 450, column.top + 150)
    column.skip(158)
    if below:
        column.put(caption, size=9, align="centred")
    column.skip(12)
    column.put(prose(5, 1))
    document = assembled(sheet)
    (picture,) = document.pictures
    assert caption_of(picture, document) == caption
    assert items(document).count(caption) == 1
    assert items(document, "text") == [prose(5), prose(5, 1)]


def test_each_of_two_figures_has_its_own_caption() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    for at in (1, 2):
        column.put(prose(4, at))
        sheet.image(150, column.top, 450, column.top + 120)
        column.skip(131)
        column.put(f"Figure {at}: One of two.", size=9, space=14, align="centred")
    document = assembled(sheet)
    assert [caption_of(each, document) for each in document.pictures] == [
        "Figure 1: One of two.",
        "Figure 2: One of two.",
    ]


def test_a_caption_belongs_to_its_table() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(5))
    column.put("Table 1: Boats on the river, by year.", size=9, space=6)
    top = column.top
    for row in range(5):
        for at, text in enumerate(
            ("Year", "Boats", "Crews") if not row else (f"{1900 + row}", f"{row * 31}", f"{row}")
        ):
            sheet.text(text, 120 + 120 * at, top + 16 * row + 3)
        sheet.rule(110, top + 16 * row, 480)
    sheet.rule(110, top + 80, 480)
    column.skip(90)
    column.put(prose(5, 1))
    document = assembled(sheet)
    (table,) = document.tables
    assert caption_of(table, document) == "Table 1: Boats on the river, by year."


def test_a_caption_far_from_everything_stays_a_caption() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(5))
    column.put("Figure 7: What is not here.", size=9)
    column.put(prose(5, 1))
    assert items(assembled(sheet), "caption") == ["Figure 7: What is not here."]


def test_a_sentence_about_a_figure_is_no_caption() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(f"Figure 3 shows how boats are built. {prose(4)}")
    column.put(prose(5, 1))
    assert items(assembled(sheet), "caption") == []


@pytest.mark.parametrize("mark", ["1", "12", "*", "†"])
def test_small_text_with_a_mark_at_the_foot_of_a_page_is_a_footnote(mark: str) -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    for at in range(6):
        column.put(prose(5, at))
    sheet.rule(72, 640, 200)
    note = "Which is told in full in the chronicle of the river."
    sheet.text(mark, 72, 644, size=5)
    glued(sheet, "Which", rise=-3, size=8)
    sheet.text(note.removeprefix("Which "), sheet.page.segments[-1].right + 2, 647, size=8)
    document = assembled(sheet)
    assert [text.removeprefix(mark).strip() for text in items(document, "footnote")] == [note]


def test_small_text_in_the_middle_of_a_page_is_no_footnote() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(5))
    column.put("3 boats, small as this type, float by and are gone before anybody has seen them.", size=8)
    for at in range(4):
        column.put(prose(5, at))
    assert items(assembled(sheet), "footnote") == []


def test_the_mark_of_a_note_in_the_text_stays_in_its_place() -> None:
    sheet = Sheet()
    sheet.text("All of this was told", 72, 72)
    glued(sheet, "1", rise=4, size=5)
    sheet.text("and told again.", sheet.page.segments[-1].right + 2.5, 72)
    (text,) = items(assembled(sheet))
    assert text == "All of this was told1 and told again."
