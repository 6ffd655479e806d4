"""One table as CSV (RFC 4180), in UTF-8."""

import csv
import io

from docling_core.types.doc import TableCell, TableData

from docrefinery_tables.cells import clean, is_heading, looks_like_formula


def as_csv(table: TableData) -> bytes:
    """Return the rows.

    A heading that spans cells is repeated in each of them, so that every column has its name; any other cell that does
    stands once, so that sums stay right.
    """
    lines = io.StringIO()
    csv.writer(lines).writerows(
        [_text(cell, row, column) for column, cell in enumerate(cells)] for row, cells in enumerate(table.grid)
    )
    return lines.getvalue().encode()


def _text(cell: TableCell, row: int, column: int) -> str:
    is_first = (row, column) == (cell.start_row_offset_idx, cell.start_col_offset_idx)
    if not (is_first or is_heading(cell)):
        return ""
    text = clean(cell.text)
    # CSV has no types: a mark before the text is the one way to keep a spreadsheet from calculating it.
    return f"'{text}" if looks_like_formula(text) else text
