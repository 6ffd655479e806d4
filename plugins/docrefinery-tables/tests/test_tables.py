"""The archive that ``tables_zip`` makes."""

import csv
import io
import zipfile

import openpyxl
import pytest
from docling_core.types.doc import DoclingDocument, TableCell, TableData
from openpyxl.worksheet.worksheet import Worksheet

from docrefinery.plugin import Exporter
from docrefinery.plugin.testing import check_plugin, documents, exported
from docrefinery_tables import docrefinery_exporters
from docrefinery_tables.cells import looks_like_formula


def test_it_keeps_the_contract() -> None:
    check_plugin("docrefinery_tables")


@pytest.fixture
def tables_zip() -> Exporter:
    """The exporter."""
    (exporter,) = docrefinery_exporters()
    return exporter


def cell(
    text: str, row: int = 0, column: int = 0, rows: int = 1, columns: int = 1, *, header: bool = False
) -> TableCell:
    return TableCell(
        text=text, start_row_offset_idx=row, end_row_offset_idx=row + 1, start_col_offset_idx=column,
        end_col_offset_idx=column + columns, col_span=columns, column_header=header,
    )  # fmt: skip


def document(*cells: TableCell) -> DoclingDocument:
    made = DoclingDocument(name="made")
    rows, columns = (max(getattr(each, f"end_{side}_offset_idx") for each in cells) for side in ("row", "col"))
    made.add_table(TableData(table_cells=list(cells), num_rows=rows, num_cols=columns))
    return made


def files(tables_zip: Exporter, made: DoclingDocument) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(exported(tables_zip, made))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def sheets(content: bytes) -> dict[str, Worksheet]:
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: sheet for sheet in workbook.worksheets}


def test_there_is_a_csv_file_and_a_sheet_for_each_table(tables_zip: Exporter) -> None:
    found = files(tables_zip, documents()["tables"])
    assert sorted(found) == ["table-0001.csv", "table-0002.csv", "tables.xlsx"]
    assert list(sheets(found["tables.xlsx"])) == ["table-0001", "table-0002"]
    assert found["table-0002.csv"] == b""


def test_without_tables_there_is_a_workbook_that_opens(tables_zip: Exporter) -> None:
    found = files(tables_zip, documents()["empty"])
    assert list(found) == ["tables.xlsx"]
    (sheet,) = sheets(found["tables.xlsx"]).values()
    assert (sheet.title, sheet["A1"].value) == ("no tables", None)


def test_in_csv_a_spanning_heading_names_every_column_and_a_spanning_value_stands_once(tables_zip: Exporter) -> None:
    made = document(cell("both", columns=2, header=True), cell("7", row=1, columns=2))
    assert rows(files(tables_zip, made)["table-0001.csv"]) == [["both", "both"], ["7", ""]]


def test_in_the_workbook_cells_that_span_are_merged(tables_zip: Exporter) -> None:
    sheet = sheets(files(tables_zip, documents()["tables"])["tables.xlsx"])["table-0001"]
    assert sorted(str(merged) for merged in sheet.merged_cells.ranges) == ["A1:A2", "B1:C1"]
    assert (sheet["A1"].value, sheet["B1"].value, sheet["C2"].value) == ("Name", "Amounts", "2026")


def test_where_an_engine_has_cells_overlap_no_text_is_lost(tables_zip: Exporter) -> None:
    made = document(cell("wide", columns=2), cell("under", column=1), cell("last", column=2))
    sheet = sheets(files(tables_zip, made)["tables.xlsx"])["table-0001"]
    assert [sheet.cell(1, column).value for column in (1, 2, 3)] == ["wide", "under", "last"]


@pytest.mark.parametrize(
    "text", ["=1+1", '=HYPERLINK("x")', "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\uff1d1", "\t=1", "-", "- item"]
)  # fmt: skip
def test_a_text_that_a_spreadsheet_would_calculate_stays_a_text(tables_zip: Exporter, text: str) -> None:
    found = files(tables_zip, document(cell(text)))
    assert rows(found["table-0001.csv"]) == [[f"'{text}"]]
    written = sheets(found["tables.xlsx"])["table-0001"]["A1"]
    assert (written.value, written.data_type, written.quotePrefix) == (text, "s", True)


@pytest.mark.parametrize("text", ["-12.5", "+3", "-1,234.50", "-7 %", "12", "1.2.2026", "a=b", ""])
def test_numbers_and_plain_texts_stay_as_they_are(tables_zip: Exporter, text: str) -> None:
    assert not looks_like_formula(text)
    found = files(tables_zip, document(cell(text), cell("x", column=1)))
    assert rows(found["table-0001.csv"]) == [[text, "x"]]
    assert sheets(found["tables.xlsx"])["table-0001"]["A1"].value == (text or None)


def test_commas_quotes_and_line_breaks_survive_and_control_characters_do_not(tables_zip: Exporter) -> None:
    found = files(tables_zip, document(cell('a, "b"\nc\0\x0b')))
    assert rows(found["table-0001.csv"]) == [['a, "b"\nc']]
    assert sheets(found["tables.xlsx"])["table-0001"]["A1"].value == 'a, "b"\nc'


def test_no_file_in_it_has_the_time_at_which_it_was_made(tables_zip: Exporter) -> None:
    content = exported(tables_zip, documents()["tables"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        workbook = archive.read("tables.xlsx")
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
    with zipfile.ZipFile(io.BytesIO(workbook)) as inner:
        assert {entry.date_time[0] for entry in inner.infolist()} == {1980}
    properties = openpyxl.load_workbook(io.BytesIO(workbook)).properties
    assert [when and when.year for when in (properties.created, properties.modified)] == [1980, 1980]
