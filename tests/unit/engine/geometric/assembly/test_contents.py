"""Tables of contents: entries stay apart and are no headings."""

from tests.support.pages import Sheet, assembled, items, labels, prose

ENTRIES = [("1 Introduction", 3), ("2 The moon", 7), ("3 The sun", 11), ("4 The wind", 15)]


def test_entries_with_leaders_are_paragraphs_of_their_own() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put("Contents", size=16, bold=True)
    for name, page in ENTRIES:
        column.put(f"{name} {'. ' * 40}{page}", space=0)
    column.skip(20)
    column.put(prose(6))
    found = items(assembled(sheet))
    assert [text.split(" . ")[0] for text in found[1:5]] == [name for name, _ in ENTRIES]


def test_bold_entries_with_their_page_at_the_edge_are_no_headings() -> None:
    sheet = Sheet()
    sheet.text("Contents", 72, 72, 468, size=16, bold=True)
    for index, (name, page) in enumerate(ENTRIES):
        top = 110 + 24 * index
        sheet.text(name, 72, top, 300, bold=True)
        sheet.text(str(page), 500, top, 40, bold=True, align="right")
    sheet.column(72, 300, 468).put(prose(8))
    found = labels(assembled(sheet, tables=False))
    assert [text for label, text in found if label == "text"][:4] == [f"{name} {page}" for name, page in ENTRIES]


def test_a_single_number_at_the_edge_is_that_of_a_formula() -> None:
    sheet = Sheet()
    sheet.column(72, 72, 468).put(prose(6))
    sheet.text("a + b = c", 250, 250, 100)
    sheet.text("(1)", 510, 250, 30, align="right")
    sheet.column(72, 280, 468).put(prose(6, 1))
    assert "a + b = c (1)" in items(assembled(sheet))
