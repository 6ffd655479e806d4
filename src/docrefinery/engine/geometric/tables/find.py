"""Finding the tables of a page."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from operator import attrgetter

from docrefinery.engine.geometric.model import Box, Page, Shape
from docrefinery.engine.geometric.tables.aligned import aligned_plan
from docrefinery.engine.geometric.tables.bands import bands_of
from docrefinery.engine.geometric.tables.draft import Plan, finished, packed
from docrefinery.engine.geometric.tables.grids import Grid, grids_of
from docrefinery.engine.geometric.tables.judge import has_bars, is_code, is_formula, is_plot, is_ruled_table, is_sparse, is_table, is_unruled_table
from docrefinery.engine.geometric.tables.model import Table
from docrefinery.engine.geometric.tables.ruled import is_coarse, ruled_plan
from docrefinery.engine.geometric.tables.sheet import Ink, Sheet, sheets
from docrefinery.engine.geometric.tables.turning import turned_back
from docrefinery.engine.geometric.tables.unruled import runs_of


_FEWEST_WORDS = 4
_SMALL = 9
"""Fields of a grid that may as well be a box in a drawing."""
_NEAR = 20.0
"""In points: numbers so near to curves are those of an axis."""
_middle = attrgetter("middle")


def find_tables(page: Page) -> list[Table]:
    """Return the tables of a page, from top to bottom."""
    tables: list[Table] = []
    for sheet in sheets(page):
        for plan in _plans(sheet):
            table = finished(plan)
            if sheet.turn:
                _turn_back(table, page, sheet.turn)
            tables.append(table)
    return sorted(tables, key=lambda table: (table.top, table.left))


def _plans(sheet: Sheet) -> Iterator[Plan]:
    free = sorted(sheet.inks, key=lambda ink: (ink.middle, ink.left))
    ruled: list[Grid] = []
    for grid in grids_of(sheet.strokes):
        plan = _in_grid(grid, free, sheet)
        if plan:
            ruled.append(grid)
            yield plan
            free = _without(free, plan)
    gone = {stroke for grid in ruled for stroke in grid.horizontal}
    strokes = [stroke for stroke in sheet.strokes.horizontal if stroke not in gone]
    for box, count in [*bands_of(sheet, free, strokes)]:
        plan = _aligned(box, free, sheet)
        if plan and _is_banded(plan, box, sheet, count):
            yield plan
            free = _without(free, plan)
    for box in [*runs_of(free)]:
        plan = _aligned(box, free, sheet)
        if plan and _is_unruled(plan, box, sheet):
            yield plan
            free = _without(free, plan)


def _in_grid(grid: Grid, free: list[Ink], sheet: Sheet) -> Plan | None:
    box = grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1]
    inside = _inside(free, box)
    if len(inside) < _FEWEST_WORDS:
        return None
    plan = packed(ruled_plan(grid, inside, _fills(sheet.shapes, box)))
    if plan.columns > 1 and (plan.rows < 2 or is_coarse(plan)):
        plan = packed(aligned_plan(_inside(inside, plan.box), plan.box, sheet.strokes) or plan)
    around = _NEAR if plan.rows * plan.columns <= _SMALL else 1
    if not is_ruled_table(plan) or is_code(plan) or is_plot(box, sheet.shapes, sheet.images, around):
        return None
    return plan


def _aligned(box: Box, free: list[Ink], sheet: Sheet) -> Plan | None:
    inside = _inside(free, box)
    plan = aligned_plan(inside, box, sheet.strokes) if len(inside) >= _FEWEST_WORDS else None
    return packed(plan) if plan else None


def _is_banded(plan: Plan, box: Box, sheet: Sheet, count: int) -> bool:
    if not is_table(plan) or is_code(plan) or is_sparse(plan) or is_plot(box, sheet.shapes, sheet.images):
        return False
    # Three rules of one width are a table's. Two may be the bars of fractions, or an axis and its frame.
    is_large = plan.columns > 2 and plan.rows > 3
    return count > 2 or ((is_large or is_unruled_table(plan)) and not is_formula(plan))


def _is_unruled(plan: Plan, box: Box, sheet: Sheet) -> bool:
    if not is_unruled_table(plan) or is_sparse(plan) or is_formula(plan):
        return False
    return not has_bars(box, sheet.shapes) and not is_plot(box, sheet.shapes, sheet.images, _NEAR)


def _fills(shapes: list[Shape], box: Box) -> list[Shape]:
    left, top, right, bottom = box
    return [
        shape
        for shape in shapes
        if shape.fill >= 0 and shape.left < right and shape.right > left and shape.top < bottom and shape.bottom > top
    ]


def _inside(inks: list[Ink], box: Box) -> list[Ink]:
    left, top, right, bottom = box
    first = bisect_left(inks, top, key=_middle)
    last = bisect_right(inks, bottom, key=_middle)
    return [ink for ink in inks[first:last] if left <= ink.centre <= right]


def _without(inks: list[Ink], plan: Plan) -> list[Ink]:
    gone = {id(ink) for draft in plan.drafts for ink in draft.inks}
    return [ink for ink in inks if id(ink) not in gone]


def _turn_back(table: Table, page: Page, turn: int) -> None:
    for each in (table, *table.cells):
        each.left, each.top, each.right, each.bottom = turned_back(
            (each.left, each.top, each.right, each.bottom), page, turn
        )
