"""Tables in Docling's terms."""

from docling_core.types.doc import BoundingBox, CoordOrigin, TableCell, TableData

from docrefinery.engine.geometric.assembly.text import clean
from docrefinery.engine.geometric.tables.model import Table


def table_data(table: Table, height: float) -> TableData:
    """Return a table as Docling has it.

    :param height: of the page, in points.
    """
    cells = [
        TableCell(
            text=clean(cell.text),
            start_row_offset_idx=cell.row,
            end_row_offset_idx=cell.row + cell.row_span,
            start_col_offset_idx=cell.column,
            end_col_offset_idx=cell.column + cell.column_span,
            row_span=cell.row_span,
            col_span=cell.column_span,
            column_header=cell.header,
            bbox=BoundingBox(
                l=cell.left,
                t=height - cell.top,
                r=cell.right,
                b=height - cell.bottom,
                coord_origin=CoordOrigin.BOTTOMLEFT,
            ),
        )
        for cell in table.cells
    ]
    return TableData(num_rows=table.rows, num_cols=table.columns, table_cells=cells)
