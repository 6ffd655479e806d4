"""From words with places in a grid to a table."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.tables.lines import joined, lines_of, spaced
from docrefinery.engine.geometric.tables.model import Cell, Table
from docrefinery.engine.geometric.tables.sheet import Ink


@dataclass(slots=True)
class Draft:
    """A cell in the making: rows and columns that it covers, both ends included, and its words.

    :param strays: words in it that run in another direction, in the order of the file.
    """

    row: int
    column: int
    last_row: int
    last_column: int
    inks: list[Ink] = field(default_factory=list)
    strays: list[Ink] = field(default_factory=list)
    header: bool = False


@dataclass(slots=True)
class Plan:
    """A table in the making.

    :param ys: edges of its rows, one more than there are rows.
    :param xs: edges of its columns.
    """

    drafts: list[Draft]
    xs: list[float]
    ys: list[float]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.ys) - 1

    @property
    def columns(self) -> int:
        """How many there are."""
        return len(self.xs) - 1

    @property
    def box(self) -> Box:
        """The place of its grid."""
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def homes(self) -> dict[tuple[int, int], Draft]:
        """Return what cell each field (row, column) is of."""
        return {
            (row, column): draft
            for draft in self.drafts
            for row in range(draft.row, draft.last_row + 1)
            for column in range(draft.column, draft.last_column + 1)
        }

    def field(self, ink: Ink) -> tuple[int, int]:
        """Return in which field (row, column) the middle of a word is."""
        row = bisect_right(self.ys, ink.middle) - 1
        column = bisect_right(self.xs, ink.centre) - 1
        return min(max(row, 0), self.rows - 1), min(max(column, 0), self.columns - 1)


def packed(plan: Plan) -> Plan:
    """Return a plan without the rows and columns in which nothing begins or ends."""
    drafts = [draft for draft in plan.drafts if draft.inks or draft.strays]
    rows = _kept(((draft.row, draft.last_row) for draft in drafts), plan.rows)
    columns = _kept(((draft.column, draft.last_column) for draft in drafts), plan.columns)
    if not rows or not columns:
        return Plan([], plan.xs[:1], plan.ys[:1])
    for draft in drafts:
        draft.row, draft.last_row = _shrunk(draft.row, draft.last_row, rows)
        draft.column, draft.last_column = _shrunk(draft.column, draft.last_column, columns)
    return Plan(drafts, _edges(plan.xs, columns), _edges(plan.ys, rows))


def _kept(extents: Iterable[tuple[int, int]], count: int) -> list[int]:
    alone = [False] * count
    spans = []
    for first, last in extents:
        if first == last:
            alone[first] = True
        else:
            spans.append((first, last))
    for first, last in sorted(spans):
        if not any(alone[first : last + 1]):
            alone[first] = True
    return [at for at in range(count) if alone[at]]


def _shrunk(first: int, last: int, kept: list[int]) -> tuple[int, int]:
    return bisect_left(kept, first), bisect_right(kept, last) - 1


def _edges(edges: list[float], kept: list[int]) -> list[float]:
    # The outer ones stay: words of a cell over an empty row are where that row was.
    return [edges[0], *(edges[at] for at in kept[1:]), edges[-1]]


def adopt(plan: Plan, strays: list[Ink]) -> None:
    """Give words that stand on a packed plan to its cells."""
    home = plan.homes()
    for ink in strays:
        field_ = plan.field(ink)
        if field_ not in home:
            home[field_] = Draft(*field_, *field_)
            plan.drafts.append(home[field_])
        home[field_].strays.append(ink)


def finished(plan: Plan) -> Table:
    """Return the table of a packed plan, its grid filled up with empty cells."""
    taken = [[False] * plan.columns for _ in range(plan.rows)]
    cells = []
    for draft in plan.drafts:
        for row in range(draft.row, draft.last_row + 1):
            for column in range(draft.column, draft.last_column + 1):
                taken[row][column] = True
        cells.append(_cell(draft, plan))
    headers = max((draft.last_row + 1 for draft in plan.drafts if draft.header), default=0)
    for row, line in enumerate(taken):
        cells += [
            _cell(Draft(row, column, row, column, header=row < headers), plan)
            for column, is_taken in enumerate(line)
            if not is_taken
        ]
    cells.sort(key=lambda cell: (cell.row, cell.column))
    return Table(*plan.box, rows=plan.rows, columns=plan.columns, cells=cells)


def _cell(draft: Draft, plan: Plan) -> Cell:
    return Cell(
        text=" ".join(filter(None, (joined([line.inks for line in lines_of(draft.inks)]), spaced(draft.strays)))),
        row=draft.row,
        column=draft.column,
        row_span=draft.last_row - draft.row + 1,
        column_span=draft.last_column - draft.column + 1,
        header=draft.header,
        left=plan.xs[draft.column],
        top=plan.ys[draft.row],
        right=plan.xs[draft.last_column + 1],
        bottom=plan.ys[draft.last_row + 1],
    )
