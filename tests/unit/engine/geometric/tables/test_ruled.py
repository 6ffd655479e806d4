from docrefinery.engine.geometric.model import Rule, Word
from docrefinery.engine.geometric.tables import find_tables
from docrefinery.engine.geometric.tables.model import Table
from tests.unit.engine.geometric.tables import make

XS, YS = [100.0, 220.0, 300.0, 380.0], [100.0, 120.0, 140.0, 160.0]
ROWS = [["Country", "Area", "People"], ["Austria", "84", "9.1"], ["Norway", "385", "5.5"]]


def texts(table: Table) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row].append(cell.text)
    return rows


def test_full_grid() -> None:
    [table] = find_tables(make.grid(ROWS, XS, YS))
    assert (table.rows, table.columns) == (3, 3)
    assert texts(table) == ROWS
    assert (table.left, table.top, table.right, table.bottom) == (100, 100, 380, 160)
    assert [cell.header for cell in table.cells] == [True] * 3 + [False] * 6


def test_rules_in_pieces_and_drawn_double_are_one() -> None:
    page = make.grid(ROWS, XS, YS)
    page.rules = [
        piece
        for rule in page.rules
        for piece in (
            [make.level(rule.top + dy, x, x + 38) for x in range(100, 380, 40) for dy in (0, 1.5)]
            if rule.horizontal
            else [rule]
        )
    ]
    [table] = find_tables(page)
    assert texts(table) == ROWS


def test_order_of_rules_does_not_matter() -> None:
    page = make.grid(ROWS, XS, YS)
    expected = find_tables(page)
    page.rules.reverse()
    assert find_tables(page) == expected


def test_missing_rule_joins_cells() -> None:
    page = make.grid([["Name", "Results", ""], ["", "2019", "2020"], ["Ann", "1", "2"]], XS, YS)
    page.rules = [
        *(make.level(y, 100, 380) for y in (100, 140, 160)),
        make.level(120, 220, 380),
        *(make.upright(x, 100, 160) for x in (100, 220, 380)),
        make.upright(300, 120, 160),
    ]
    [table] = find_tables(page)
    assert [(cell.text, cell.row_span, cell.column_span) for cell in table.cells[:2]] == [
        ("Name", 2, 1),
        ("Results", 1, 2),
    ]
    assert texts(table)[1:] == [["2019", "2020"], ["Ann", "1", "2"]]


def test_cell_of_several_lines_is_read_line_by_line() -> None:
    made = [
        *make.words("Item", 104, 104),
        *make.words("Note", 224, 104),
        *make.words("Pump", 104, 124),
        *make.words("of cast iron, pain-", 224, 124),
        *make.words("ted", 224, 136),
    ]
    rules = [make.level(y, 100, 330) for y in (100, 120, 160)] + [make.upright(x, 100, 160) for x in (100, 220, 330)]
    [table] = find_tables(make.page(made, rules))
    assert texts(table) == [["Item", "Note"], ["Pump", "of cast iron, painted"]]


def test_rows_without_rules_between_columns_with_rules() -> None:
    rows = [["Year", "Sales", "Costs"], *([str(year), str(year % 7), str(year % 5)] for year in range(2001, 2009))]
    made = make.lines(rows, [104, 290, 370], top=104)
    rules = [make.level(y, 100, 380) for y in (100, 117, 240)] + [make.upright(x, 100, 240) for x in XS]
    [table] = find_tables(make.page(made, rules))
    assert texts(table) == rows


def test_columns_without_rules_between_rows_with_rules() -> None:
    rows = [["Year", "Sales", "Costs"], *([str(year), str(year % 7), str(year % 5)] for year in range(2001, 2006))]
    made = make.lines(rows, [104, 290, 370], top=104, step=20)
    rules = [make.level(100 + 20 * at, 100, 380) for at in range(7)] + [
        make.upright(x, 100, 220) for x in (100, 220, 380)
    ]
    [table] = find_tables(make.page(made, rules))
    assert texts(table) == rows


def test_title_and_note_in_the_frame_are_left_out() -> None:
    page = make.grid(ROWS, XS, YS)
    made = [word for segment in page.segments for word in segment.words]
    made += make.words("Exhibit 3 Lands of Europe", 140, 84) + make.words("Source of all this: a census", 104, 164)
    rules = [*page.rules, make.level(80, 100, 380), make.level(180, 100, 380)]
    rules += [make.upright(x, 80, 180) for x in (100, 380)]
    [table] = find_tables(make.page(made, rules))
    assert texts(table) == ROWS


def test_two_tables_side_by_side() -> None:
    first, second = make.grid(ROWS, XS, YS), make.grid(ROWS, [x / 2 + 360 for x in XS], YS)
    segments, rules = first.segments + second.segments, first.rules + second.rules
    made = [word for segment in segments for word in segment.words]
    assert [texts(table) for table in find_tables(make.page(made, rules))] == [ROWS, ROWS]


def test_table_printed_sideways() -> None:
    page = make.grid(ROWS, XS, YS)
    # Turned a quarter against the clock: what ran rightwards runs upwards.
    made = [
        Word(word.text, word.top + shift, 700 - word.right, word.bottom + shift, 700 - word.left, 2)
        for shift in (0, 100, 200)
        for segment in page.segments
        for word in segment.words
    ]
    rules = [
        Rule(rule.top + shift, 700 - rule.right, rule.bottom + shift, 700 - rule.left, horizontal=not rule.horizontal)
        for shift in (0, 100, 200)
        for rule in page.rules
    ]
    tables = find_tables(make.page(made, rules))
    assert [texts(table) for table in tables] == [ROWS] * 3
    assert (tables[0].left, tables[0].top, tables[0].right, tables[0].bottom) == (100, 320, 160, 600)


def test_sideways_words_in_a_table_are_in_its_cells() -> None:
    page = make.grid(ROWS, XS, YS)
    page.segments.append(make.page([Word("thousands", 340, 102, 350, 118, 2)]).segments[0])
    [table] = find_tables(page)
    assert texts(table)[0] == ["Country", "Area", "People thousands"]
