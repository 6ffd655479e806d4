"""The layout of one page: its lines, tables and figures, column by column in reading order."""

from msgspec import Struct

from docrefinery.engine.geometric.layout.lines import Line, lines_of, without
from docrefinery.engine.geometric.layout.order import Item, reading_order
from docrefinery.engine.geometric.layout.rows import rows
from docrefinery.engine.geometric.model import Box, Page, Style

_FULL_LINE = 80
"""Letters that a table or a figure counts for: it is no cell of a row."""


class Layout(Struct):
    """A page ready for the document.

    :param columns: the parts of the page in reading order, each from top to bottom.
    :param aside: lines that do not run rightwards: stamps on the margin, labels of axes.
    """

    number: int
    width: float
    height: float
    styles: list[Style]
    columns: list[list[Line]]
    aside: list[Line] = []


def lay_out(page: Page, taken: list[Box]) -> Layout:
    """Return the layout of a page.

    :param taken: what belongs to tables.
    """
    segments = without(page.segments, taken)
    upright = [segment for segment in segments if page.styles[segment.words[0].style].direction == 0]
    turned = [segment for segment in segments if page.styles[segment.words[0].style].direction != 0]
    lines = lines_of(upright, page.styles, page.links)
    order = reading_order([Item(line.box, len(line.text)) for line in lines])
    columns = []
    for number, members in enumerate(order):
        for index in members:
            lines[index].region = number
        columns.append(rows([lines[index] for index in members]))
    return Layout(page.number, page.width, page.height, page.styles, columns, lines_of(turned, page.styles))
