"""The layout of one page: its lines, tables and figures, column by column in reading order."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from docrefinery.engine.geometric.layout.bullets import mark_bullets
from docrefinery.engine.geometric.layout.contents import mark_contents
from docrefinery.engine.geometric.layout.dividing import divide
from docrefinery.engine.geometric.layout.dropcaps import join_initials
from docrefinery.engine.geometric.layout.figures import Figure, figures_of
from docrefinery.engine.geometric.layout.gutters import Item
from docrefinery.engine.geometric.layout.joining import lines_of
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.layout.listings import mark_listings
from docrefinery.engine.geometric.layout.order import reading_order
from docrefinery.engine.geometric.layout.rows import rows, table_rows
from docrefinery.engine.geometric.model import Box, Page, Segment, Style
from docrefinery.engine.geometric.tables.model import Table

_FULL_LINE = 80
"""Letters that a table or a figure counts for: it is no cell of a row."""

_ACROSS = 0.5
_PANEL = 0.5
"""Share of the page: what is larger is a background."""
_MOST_PANELS = 100
_WHITE = 0xFFFFFF
_MARGIN = 0.13

Element = Line | Figure | Table


class Layout(Struct):
    """A page ready for the document.

    :param mirrored: whether left and right are exchanged here, since its text runs leftwards.
    :param garbled: share (0 to 1) of its letters whose font does not say what they mean.
    :param plain: why it is lines in the order of the file and nothing else, ``""`` if it is not.
    :param turn: how its text runs on the page, clockwise from rightwards in degrees; all places here are those of the
        page turned back by it, and so are ``width`` and ``height``.
    :param columns: the parts of the page in reading order, each from top to bottom.
    :param panels: filled boxes behind text.
    :param head: where a rule across the page parts its header from the text, in points from the top.
    :param foot: where one parts its footer.
    :param aside: lines that do not run rightwards and are in no figure: stamps on the margin, mostly.
    """

    number: int
    width: float
    height: float
    styles: list[Style]
    columns: list[list[Element]]
    aside: list[Line] = []
    panels: list[Box] = []
    head: float = 0.0
    foot: float = 0.0
    garbled: float = 0.0
    plain: str = ""
    turn: int = 0
    mirrored: bool = False

    @property
    def lines(self) -> list[Line]:
        """The lines of its columns."""
        return [each for column in self.columns for each in column if isinstance(each, Line)]


def encode(layout: Layout) -> bytes:
    """Return a layout as bytes for another process."""
    return msgspec.msgpack.encode(layout)


def decode(content: bytes) -> Layout:
    """Return the layout of such bytes."""
    return msgspec.msgpack.decode(content, type=Layout)


def lay_out_plainly(page: Page) -> Layout:
    """Return the lines of a page in the order of the file: what there is time for on a page that has too much."""
    lines = lines_of(page.segments, page.styles)
    return Layout(page.number, page.width, page.height, page.styles, [[*lines]], garbled=page.garbled, plain=page.plain)


def lay_out(page: Page, tables: Sequence[Table] = (), *, structure: bool = True) -> Layout:
    """Return the layout of a page.

    :param tables: what was found of them; their text is theirs alone.
    :param structure: whether they stay tables; else each of their rows is a line of text.
    """
    taken = [(table.left, table.top, table.right, table.bottom) for table in tables]
    segments, _ = divide(page.segments, taken)
    figures = figures_of(page, segments, taken)
    segments, labels = divide(segments, [figure.box for figure in figures])
    for figure, inside in zip(figures, labels, strict=True):
        figure.lines = _labels(page, inside)
    upright, turned = _by_direction(page, segments)
    lines = join_initials(lines_of(upright, page.styles, page.links, page.tags))
    elements: list[Element] = [*lines, *figures, *tables]
    order = reading_order([_item(element) for element in elements])
    columns = [
        _column(number, [elements[index] for index in members], structure=structure)
        for number, members in enumerate(order)
    ]
    for column in columns:
        lines = [each for each in column if isinstance(each, Line)]
        mark_listings(lines)
        mark_contents(lines)
    mark_bullets([each for column in columns for each in column if isinstance(each, Line)], page.shapes)
    return Layout(
        page.number,
        page.width,
        page.height,
        page.styles,
        columns,
        lines_of(turned, page.styles, tags=page.tags),
        _panels(page, segments),
        *_parting_rules(page, taken),
        page.garbled,
        page.plain,
    )


def _panels(page: Page, segments: Sequence[Segment]) -> list[Box]:
    most = _PANEL * page.width * page.height
    filled = [
        (shape.left, shape.top, shape.right, shape.bottom)
        for shape in page.shapes
        if shape.fill not in (-1, _WHITE) and (shape.right - shape.left) * (shape.bottom - shape.top) < most
    ]
    # The largest ones: what has thousands of them is a drawing.
    filled = sorted(filled, key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))[:_MOST_PANELS]
    return [box for box, inside in zip(filled, divide(segments, filled)[1], strict=True) if inside] if filled else []


def _parting_rules(page: Page, taken: Sequence[Box]) -> tuple[float, float]:
    wide = [
        rule.top
        for rule in page.rules
        if rule.horizontal
        and rule.right - rule.left > _ACROSS * page.width
        and not any(top - 1 <= rule.top <= bottom + 1 for _, top, _, bottom in taken)
    ]
    head = max((top for top in wide if top < _MARGIN * page.height), default=0.0)
    return head, min((top for top in wide if top > (1 - _MARGIN) * page.height), default=page.height)


def _column(number: int, members: Sequence[Element], *, structure: bool) -> list[Element]:
    column: list[Element] = []
    run: list[Line] = []
    for element in members:
        if isinstance(element, Line):
            element.region = number
            run.append(element)
            continue
        column += rows(run)
        run = []
        column += table_rows(element) if isinstance(element, Table) and not structure else [element]
    return [*column, *rows(run)]


def _item(element: Element) -> Item:
    box = (element.left, element.top, element.right, element.bottom)
    return Item(box, len(element.text) if isinstance(element, Line) else _FULL_LINE)


def _by_direction(page: Page, segments: Sequence[Segment]) -> tuple[list[Segment], list[Segment]]:
    upright = [segment for segment in segments if page.styles[segment.words[0].style].direction == 0]
    turned = [segment for segment in segments if page.styles[segment.words[0].style].direction != 0]
    return upright, turned


def _labels(page: Page, segments: Sequence[Segment]) -> list[Line]:
    upright, turned = _by_direction(page, segments)
    lines = lines_of(upright, page.styles)
    order = reading_order([Item(line.box, len(line.text)) for line in lines])
    labels = [line for members in order for line in rows([lines[index] for index in members])]
    return labels + lines_of(turned, page.styles)
