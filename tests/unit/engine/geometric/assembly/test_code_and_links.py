"""Code with its lines, and links."""

from tests.support.pages import Sheet, assembled, items, join_line, prose

_PROGRAM = """def row(boat):
    if boat.empty:
        return 0
    return boat.speed"""


def test_code_keeps_its_lines_and_indents() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(5))
    column.put(_PROGRAM, mono=True, font="Mono", size=9)
    column.put(prose(5, 1))
    document = assembled(sheet)
    assert items(document) == [prose(5), _PROGRAM, prose(5, 1)]
    assert items(document, "code") == [_PROGRAM]


def test_numbers_of_lines_are_no_code() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(5))
    for number, line in enumerate(_PROGRAM.split("\n"), 1):
        indent = len(line) - len(line.lstrip())
        sheet.text(str(number), 74, column.top + 2, size=6, font="Mono", mono=True)
        sheet.text(line.strip(), 92 + 5.4 * indent, column.top, size=9, font="Mono", mono=True)
        column.skip(11)
    column.skip(10)
    column.put(prose(5, 1))
    assert items(assembled(sheet), "code") == [_PROGRAM]


def test_a_word_of_code_within_text_makes_no_code_of_it() -> None:
    sheet = Sheet()
    sheet.text("Call", 72, 72)
    sheet.text("row(boat)", 95, 72, mono=True, font="Mono")
    sheet.text("to move it.", 152, 72)
    join_line(sheet, 3)
    assert items(assembled(sheet), "text") == ["Call row(boat) to move it."]


def test_text_that_is_a_link_leads_there() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(prose(5))
    top = column.top
    column.put("https://rivers.example/boats")
    sheet.link(70, top - 1, 320, top + 12, "https://rivers.example/boats")
    column.put(prose(5, 1))
    texts = {item.text: item.hyperlink for item in assembled(sheet).texts}
    assert str(texts["https://rivers.example/boats"]) == "https://rivers.example/boats"
    assert texts[prose(5)] is None


def test_a_link_on_a_part_of_a_paragraph_changes_nothing_of_it() -> None:
    sheet = Sheet()
    sheet.text(prose(5), 72, 72)
    sheet.link(72, 72, 150, 82, "https://rivers.example")
    (item,) = assembled(sheet).texts
    assert (item.text, item.hyperlink) == (prose(5), None)


def test_an_address_that_is_none_is_left_out() -> None:
    sheet = Sheet()
    sheet.text("A broken one", 72, 72)
    sheet.link(70, 70, 300, 90, "http://[::bad")
    assert items(assembled(sheet)) == ["A broken one"]
