"""The first half for one page: look for tables, lay out."""

from docrefinery.engine.geometric.layout.layout import Layout, lay_out, lay_out_plainly
from docrefinery.engine.geometric.model import Page
from docrefinery.engine.geometric.tables import find_tables
from docrefinery.engine.geometric.upright import mirrored, runs_leftwards, turn_of, upright


def layout_of(page: Page, *, tables: bool = True) -> Layout:
    """Return the layout of a page that was read.

    :param tables: whether tables are to be tables; else each of their rows is a line.
    """
    if page.plain:
        return lay_out_plainly(page)
    turn = turn_of(page)
    page = upright(page, turn)
    leftwards = runs_leftwards(page)
    if leftwards:
        page = mirrored(page)
    layout = lay_out(page, find_tables(page), structure=tables)
    layout.turn = turn
    layout.mirrored = leftwards
    return layout
