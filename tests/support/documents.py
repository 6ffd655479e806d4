"""A small document with one of each kind of item, as an engine would make it of a page of 612 by 792 points."""

from docling_core.types.doc import (
    BoundingBox,
    ContentLayer,
    CoordOrigin,
    DocItemLabel,
    DoclingDocument,
    ProvenanceItem,
    Size,
    TableCell,
    TableData,
)

HEIGHT = 792


def place(left: float, top: float, right: float, bottom: float, page: int = 1) -> ProvenanceItem:
    """Return a place, given in points from the page's top left corner."""
    box = BoundingBox(l=left, t=HEIGHT - top, r=right, b=HEIGHT - bottom, coord_origin=CoordOrigin.BOTTOMLEFT)
    return ProvenanceItem(page_no=page, bbox=box, charspan=(0, 1))


def empty(pages: int = 1) -> DoclingDocument:
    """Return a document with nothing on its pages."""
    document = DoclingDocument(name="small")
    for number in range(1, pages + 1):
        document.add_page(page_no=number, size=Size(width=612, height=HEIGHT))
    return document


def with_everything() -> DoclingDocument:
    """Return two pages; a paragraph goes on from the first to the second."""
    document = empty(pages=2)
    document.add_text(
        DocItemLabel.PAGE_HEADER, "Header", prov=place(100, 20, 200, 30), content_layer=ContentLayer.FURNITURE
    )
    document.add_title("Title", prov=place(100, 50, 300, 80))
    document.add_heading("Heading", level=2, prov=place(100, 100, 300, 120))
    outer = document.add_list_group()
    document.add_list_item("One", parent=outer, prov=place(100, 140, 300, 160))
    inner = document.add_list_group(parent=outer)
    document.add_list_item("One in one", parent=inner, prov=place(120, 170, 300, 190))
    document.add_table(_cells(), prov=place(100, 200, 300, 300))
    picture = document.add_picture(prov=place(100, 320, 300, 420))
    document.add_text(DocItemLabel.TEXT, "In it", parent=picture, prov=place(150, 350, 200, 360))
    paragraph = document.add_text(DocItemLabel.TEXT, "Goes on", prov=place(100, 500, 300, 700))
    paragraph.prov.append(place(100, 50, 300, 80, page=2))
    document.add_code("x = 1", prov=place(100, 100, 300, 120, page=2))
    return document


def _cells() -> TableData:
    cells = [
        TableCell(
            text=str(row),
            start_row_offset_idx=row,
            end_row_offset_idx=row + 1,
            start_col_offset_idx=0,
            end_col_offset_idx=1,
            column_header=row == 0,
            bbox=place(100, 200 + 50 * row, 300, 250 + 50 * row).bbox,
        )
        for row in range(2)
    ]
    return TableData(table_cells=cells, num_rows=2, num_cols=1)
