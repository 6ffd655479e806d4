"""Tables as a workbook, the same bytes for the same tables."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from docling_core.types.doc import TableCell, TableData
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import ARC_CORE
from openpyxl.xml.functions import tostring

from docrefinery_tables.archive import archive
from docrefinery_tables.cells import clean, is_heading, looks_like_formula

NO_TABLES = "no tables"
_WHEN = datetime(1980, 1, 1)  # noqa: DTZ001 - openpyxl wants it without a zone, and writes it as UTC
_LONGEST = 32_767  # characters that fit a cell
_WIDEST = 60
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_BOLD = Font(bold=True)


def as_xlsx(tables: Mapping[str, TableData]) -> bytes:
    """Return a workbook with a sheet a table; without tables it has an empty sheet, since it must have one."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, table in tables.items():
        _fill(workbook.create_sheet(name), table)
    if not tables:
        workbook.create_sheet(NO_TABLES)
    saved = io.BytesIO()
    workbook.save(saved)
    return _without_times(workbook, saved)


def _fill(sheet: Worksheet, table: TableData) -> None:
    widths: Counter[int] = Counter()
    for cell in table.table_cells:
        text = clean(cell.text)[:_LONGEST]
        _write(sheet, cell, text)
        if cell.col_span == 1:
            longest_line = max(len(line) for line in text.split("\n"))
            widths[cell.start_col_offset_idx] = max(widths[cell.start_col_offset_idx], longest_line)
    for column, width in widths.items():
        sheet.column_dimensions[get_column_letter(column + 1)].width = min(width, _WIDEST) + 2
    _merge(sheet, table.table_cells)


def _write(sheet: Worksheet, cell: TableCell, text: str) -> None:
    written = sheet.cell(cell.start_row_offset_idx + 1, cell.start_col_offset_idx + 1, text)
    # As text, whatever it looks like: no formula runs, and no part number turns into a date.
    written.data_type = "s"
    written.alignment = _WRAPPED
    if looks_like_formula(text):
        written.quotePrefix = True
    if is_heading(cell):
        written.font = _BOLD


def _merge(sheet: Worksheet, cells: list[TableCell]) -> None:
    """Merge what spans; where an engine has cells overlap, they stay apart, since a merge would delete the others."""
    taken = Counter(place for cell in cells for place in _places(cell))
    for cell in cells:
        if cell.row_span * cell.col_span > 1 and all(taken[place] == 1 for place in _places(cell)):
            sheet.merge_cells(
                start_row=cell.start_row_offset_idx + 1,
                start_column=cell.start_col_offset_idx + 1,
                end_row=cell.end_row_offset_idx,
                end_column=cell.end_col_offset_idx,
            )


def _places(cell: TableCell) -> Iterator[tuple[int, int]]:
    for row in range(cell.start_row_offset_idx, cell.end_row_offset_idx):
        for column in range(cell.start_col_offset_idx, cell.end_col_offset_idx):
            yield row, column


def _without_times(workbook: Workbook, saved: io.BytesIO) -> bytes:
    """Return a saved workbook with no trace of when that was, which openpyxl cannot be kept from leaving."""
    workbook.properties.created = workbook.properties.modified = _WHEN
    with zipfile.ZipFile(saved) as zipped:
        files = {name: zipped.read(name) for name in zipped.namelist()}
    files[ARC_CORE] = tostring(workbook.properties.to_tree())
    timeless = io.BytesIO()
    archive(timeless, files)
    return timeless.getvalue()
