"""Made documents: what an exporter meets sooner or later."""

from collections.abc import Callable

from docling_core.types.doc import (
    BoundingBox,
    CoordOrigin,
    DocItemLabel,
    DoclingDocument,
    ImageRef,
    ProvenanceItem,
    Size,
    TableCell,
    TableData,
)
from PIL import Image

LONG_PAGES = 200
_ROWS_OF_CELLS = [
    # text, row, column, rows, columns
    ("Name", 0, 0, 2, 1), ("Amounts", 0, 1, 1, 2),
    ("2025", 1, 1, 1, 1), ("2026", 1, 2, 1, 1),
    ("=SUM(A1:A9)", 2, 0, 1, 1), ("-12.5", 2, 1, 1, 1), ("7 | 8", 2, 2, 1, 1),
]  # fmt: skip


def documents() -> dict[str, DoclingDocument]:
    """Return the documents by name, made anew for each caller."""
    makers: list[Callable[[], DoclingDocument]] = [
        empty, text_only, headings_and_lists, tables, pictures, right_to_left_and_emoji, odd_characters, long,
    ]  # fmt: skip
    return {document.name: document for document in (make() for make in makers)}


def empty() -> DoclingDocument:
    """Return a document without pages, text, tables and pictures."""
    return DoclingDocument(name="empty")


def text_only() -> DoclingDocument:
    """Return one paragraph that is on no page."""
    document = _document("text only", pages=0)
    _paragraph(document, "One paragraph, and nothing else.", page=0)
    return document


def headings_and_lists() -> DoclingDocument:
    """Return a title, headings of two levels, one of them without text under it, and a list in a list."""
    document = _document("headings and lists")
    document.add_title("Report", prov=_place(1, 0))
    document.add_heading("First part", level=1, prov=_place(1, 1))
    _paragraph(document, "Text of the first part.", line=2)
    document.add_heading("A part of it", level=2, prov=_place(1, 3))
    outer = document.add_list_group()
    first = document.add_list_item("first", enumerated=True, marker="1.", parent=outer, prov=_place(1, 4))
    inner = document.add_list_group(parent=first)
    document.add_list_item("nested", parent=inner, prov=_place(1, 5))
    document.add_list_item("second", enumerated=True, marker="2.", parent=outer, prov=_place(1, 6))
    document.add_heading("Without text", level=1, prov=_place(1, 7))
    return document


def tables() -> DoclingDocument:
    """Return a table with spans, a caption, and cells that look like formulas; and one without any cell."""
    document = _document("tables")
    caption = document.add_text(DocItemLabel.CAPTION, "Table 1: amounts", prov=_place(1, 0))
    cells = [_cell(*values) for values in _ROWS_OF_CELLS]
    document.add_table(TableData(table_cells=cells, num_rows=3, num_cols=3), caption=caption, prov=_place(1, 1))
    document.add_table(TableData(table_cells=[], num_rows=0, num_cols=0), prov=_place(1, 2))
    return document


def pictures() -> DoclingDocument:
    """Return a picture with its image and a caption, and one whose image was not kept."""
    document = _document("pictures")
    caption = document.add_text(DocItemLabel.CAPTION, "Figure 1: red", prov=_place(1, 0))
    image = ImageRef.from_pil(Image.new("RGB", (32, 16), "red"), dpi=72)
    document.add_picture(image=image, caption=caption, prov=_place(1, 1))
    document.add_picture(prov=_place(1, 2))
    return document


def right_to_left_and_emoji() -> DoclingDocument:
    """Return Arabic, Hebrew, Chinese, combining marks, and characters beyond the first 65,536."""
    document = _document("right to left and emoji")
    document.add_heading("تقرير", prov=_place(1, 0))
    texts = ["السلام عليكم", "שלום עולם", "你好,世界", "A\u0308rger e\u0301tude", "👩‍👩‍👧 🇪🇺 🜚"]
    for line, text in enumerate(texts, 1):
        _paragraph(document, text, line=line)
    return document


def odd_characters() -> DoclingDocument:
    """Return markup that must not become any, characters that XML forbids, blank text, and a word without end."""
    document = _document("odd characters")
    document.add_heading("</title><script>alert(1)</script>", prov=_place(1, 0))
    texts = [
        '<img src="x" onerror="alert(1)"> & "quotes"',
        "\0nul \x0b tab\t line\nbreak \ufffe\x7f",
        "   ",
        "x" * 5000,
    ]
    for line, text in enumerate(texts, 1):
        _paragraph(document, text, line=line)
    return document


def long() -> DoclingDocument:
    """Return a document of many pages."""
    document = _document("long", pages=LONG_PAGES)
    for page in range(1, LONG_PAGES + 1):
        document.add_heading(f"Page {page}", prov=_place(page, 0))
        for line in range(1, 4):
            _paragraph(document, f"Paragraph {line} of page {page}. " + "More words follow. " * 20, page, line)
    return document


def _document(name: str, pages: int = 1) -> DoclingDocument:
    document = DoclingDocument(name=name)
    for page in range(1, pages + 1):
        document.add_page(page_no=page, size=Size(width=595, height=842))
    return document


def _paragraph(document: DoclingDocument, text: str, page: int = 1, line: int = 0) -> None:
    document.add_text(DocItemLabel.TEXT, text, prov=_place(page, line) if page else None)


def _place(page: int, line: int) -> ProvenanceItem:
    top = 72.0 + 40 * line
    box = BoundingBox(l=72, t=top, r=523, b=top + 30, coord_origin=CoordOrigin.TOPLEFT)
    return ProvenanceItem(page_no=page, bbox=box, charspan=(0, 0))


def _cell(text: str, row: int, column: int, rows: int, columns: int) -> TableCell:
    return TableCell(
        text=text,
        start_row_offset_idx=row,
        end_row_offset_idx=row + rows,
        start_col_offset_idx=column,
        end_col_offset_idx=column + columns,
        row_span=rows,
        col_span=columns,
        column_header=row < 2,
    )
