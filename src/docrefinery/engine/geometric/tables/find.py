"""Finding the tables of a page."""

from docrefinery.engine.geometric.model import Page
from docrefinery.engine.geometric.tables.draft import finished
from docrefinery.engine.geometric.tables.model import Cell, Table
from docrefinery.engine.geometric.tables.search import Search
from docrefinery.engine.geometric.tables.sheet import sheets
from docrefinery.engine.geometric.tables.turning import turned_back


def find_tables(page: Page) -> list[Table]:
    """Return the tables of a page, from top to bottom; their boxes do not overlap.

    Text that runs sideways is set upright first, so that rows and columns are those of its reader.
    """
    tables: list[Table] = []
    taken: set[int] = set()
    for sheet in sheets(page):
        for plan in Search(sheet, taken).plans():
            table = finished(plan)
            if sheet.turn:
                _turn_back(table, page, sheet.turn)
            tables.append(table)
    return sorted(tables, key=lambda table: (table.top, table.left))


def _turn_back(table: Table, page: Page, turn: int) -> None:
    placed: list[Table | Cell] = [table, *table.cells]
    for each in placed:
        box = each.left, each.top, each.right, each.bottom
        each.left, each.top, each.right, each.bottom = turned_back(box, page, turn)
