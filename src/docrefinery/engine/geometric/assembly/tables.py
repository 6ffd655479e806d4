"""Tables in Docling's terms."""

from docling_core.types.doc import TableCell, TableData

from docrefinery.engine.geometric.assembly.place import Place
from docrefinery.engine.geometric.assembly.text import clean
from docrefinery.engine.geometric.tables.model import Table


def table_data(table: Table, place: Place) -> TableData:
    """Return a table of a page as Docling has it."""
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
            bbox=place.bounding_box((cell.left, cell.top, cell.right, cell.bottom)),
        )
        for cell in table.cells
    ]
    data = TableData(num_rows=table.rows, num_cols=table.columns, table_cells=[])
    # They are what they are: given at once, each would be tried as every kind of cell that there is.
    data.table_cells += cells
    return data
