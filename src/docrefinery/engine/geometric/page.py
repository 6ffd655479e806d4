"""The first half for one page: read, look for tables, lay out."""

import pypdfium2 as pdfium

from docrefinery.engine.geometric.layout.layout import Layout, lay_out
from docrefinery.engine.geometric.reading.page import read_page
from docrefinery.engine.geometric.tables import find_tables


def page_layout(document: pdfium.PdfDocument, page: pdfium.PdfPage, number: int, *, tables: bool = True) -> Layout:
    """Return the layout of a page; whoever calls holds pdfium's lock.

    :param number: of the page, counted from 1.
    :param tables: look for tables; without, their text is lines.
    """
    content = read_page(document, page, number)
    return lay_out(content, find_tables(content) if tables else ())
