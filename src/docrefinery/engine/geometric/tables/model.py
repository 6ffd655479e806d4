"""What is found: tables with their cells."""

from msgspec import Struct


class Cell(Struct):
    """One cell of a table's grid; without text if the grid is empty there.

    :param row: counted from 0, of its first row.
    :param column: counted from 0, of its first column.
    :param header: whether it names columns.
    """

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    header: bool = False
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


class Table(Struct, tag="table"):
    """A table: cells sorted by row and column that cover the whole grid, none twice.

    All words of the page whose centre lies in its box, and that run in its direction, are in its cells.
    """

    left: float
    top: float
    right: float
    bottom: float
    rows: int
    columns: int
    cells: list[Cell]
