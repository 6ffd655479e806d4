from docrefinery.engine.geometric.tables import find_tables
from tests.unit.engine.geometric.tables import make
from tests.unit.engine.geometric.tables.test_ruled import texts

XS = [100.0, 260.0, 330.0, 400.0]
BODY = [["Austria", "84", "9.1", "45"], ["Norway", "385", "5.5", "82"], ["Spain", "506", "47.4", "30"]]


def test_between_three_rules() -> None:
    rows = [["Country", "Area", "People", "Income"], *BODY]
    rules = [make.level(y, 100, 400) for y in (98, 112, 155)]
    [table] = find_tables(make.page(make.lines(rows, XS), rules))
    assert texts(table) == rows
    assert [cell.header for cell in table.cells] == [True] * 4 + [False] * 12


def test_heading_over_columns_by_the_rule_under_it() -> None:
    made = make.lines([["", "", "", ""], ["Country", "Area", "People", "Income"], *BODY], XS)
    made += make.words("In 2020", 330, 100)
    rules = [*(make.level(y, 100, 400) for y in (98, 126, 170)), make.level(112, 290, 400)]
    [table] = find_tables(make.page(made, rules))
    spans = [(cell.text, cell.row_span, cell.column_span) for cell in table.cells[:3]]
    assert spans == [("Country", 2, 1), ("Area", 2, 1), ("In 2020", 1, 2)]
    assert texts(table)[1:] == [["People", "Income"], *BODY]


def test_heading_over_columns_without_a_rule() -> None:
    made = make.lines([["", "", "", ""], ["Country", "Area", "People", "Income"], *BODY], XS)
    made += make.words("All of it in 2020", 310, 100)
    [table] = find_tables(make.page(made, [make.level(y, 100, 400) for y in (98, 126, 170)]))
    assert [(cell.text, cell.column_span) for cell in table.cells if cell.column_span > 1] == [("All of it in 2020", 2)]


def test_names_of_several_lines_are_one_row() -> None:
    made = make.lines([["", "Area", "People", "Income"], ["Country", "in km", "living", "each"], *BODY], XS)
    [table] = find_tables(make.page(made, [make.level(y, 100, 400) for y in (98, 126, 170)]))
    assert texts(table)[0] == ["Country", "Area in km", "People living", "Income each"]


def test_title_of_a_section_is_a_row() -> None:
    rows = [["Country", "Area", "People", "Income"], ["North", "", "", ""], BODY[1], ["South", "", "", ""], BODY[2]]
    rules = [make.level(y, 100, 400) for y in (98, 112, 170)]
    [table] = find_tables(make.page(make.lines(rows, XS), rules))
    assert texts(table) == rows


def test_label_of_two_lines_is_one_row() -> None:
    rows = [["Country", "Area", "People", "Income"], *BODY]
    made = make.lines(rows, XS) + make.words("United Kingdom of", 100, 156) + make.words("all the islands", 100, 168)
    made += [word for text, x in zip(("244", "67", "46"), XS[1:], strict=True) for word in make.right(text, x, 156)]
    [table] = find_tables(make.page(made, [make.level(y, 100, 400) for y in (98, 112, 182)]))
    assert texts(table)[-1] == ["United Kingdom of all the islands", "244", "67", "46"]


def test_numbers_without_any_rule() -> None:
    rows = [["Country", "Area", "People", "Income"], *BODY]
    [table] = find_tables(make.page(make.lines(rows, XS)))
    assert texts(table) == rows


def test_empty_cells_are_in_the_grid() -> None:
    rows = [["Country", "Area", "People", "Income"], ["Austria", "84", "", "45"], *BODY[1:]]
    [table] = find_tables(make.page(make.lines(rows, XS)))
    assert texts(table) == rows


def test_text_around_a_table_stays_outside() -> None:
    made = make.lines([["Country", "Area", "People", "Income"], *BODY], XS)
    made += make.words("As the table below shows, countries differ in what they have:", 100, 72)
    made += make.words("So much for the countries, of which there are many more.", 100, 190)
    [table] = find_tables(make.page(made))
    assert (table.rows, table.columns) == (4, 4)


def test_table_that_goes_on_overleaf_has_no_rule_below() -> None:
    rows = [["Country", "Area", "People", "Income"], *BODY]
    [table] = find_tables(make.page(make.lines(rows, XS), [make.level(y, 100, 400) for y in (98, 112)]))
    assert texts(table) == rows
