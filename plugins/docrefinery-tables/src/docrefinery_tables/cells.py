"""What stands in a cell."""

import re

from docling_core.types.doc import TableCell

# What a spreadsheet takes for the beginning of a formula, full-width forms included (OWASP, "CSV injection").
_FORMULA = re.compile(r"[=@\t\r\n\uff1d\uff0b\uff0d\uff20]|[+-](?![\d.,\s]+%?$)")
# Not allowed in XML, and of no use in CSV.
_FORBIDDEN = re.compile("[\0-\b\v\f\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return a text without what no file may hold."""
    return _FORBIDDEN.sub("", text).strip(" ")


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet might calculate a text; a number with its sign is no formula."""
    return _FORMULA.match(text) is not None


def is_heading(cell: TableCell) -> bool:
    """Whether a cell names a column, a row or a part of the table."""
    return cell.column_header or cell.row_header or cell.row_section
