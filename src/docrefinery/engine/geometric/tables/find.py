"""Finding the tables of a page."""

from collections.abc import Iterator

from docrefinery.engine.geometric.model import Box, Page, Shape
from docrefinery.engine.geometric.tables.aligned import aligned_plan
from docrefinery.engine.geometric.tables.bands import bands_of
from docrefinery.engine.geometric.tables.draft import Plan, finished, packed
from docrefinery.engine.geometric.tables.grids import Grid, grids_of
from docrefinery.engine.geometric.tables.judge import has_bars, is_code, is_plot, is_ruled_table, is_sparse, is_table, is_unruled_table
from docrefinery.engine.geometric.tables.model import Table
from docrefinery.engine.geometric.tables.ruled import is_coarse, ruled_plan
from docrefinery.engine.geometric.tables.sheet import Ink, Sheet, sheets
from docrefinery.engine.geometric.tables.turning import turned_back
from docrefinery.engine.geometric.tables.unruled import runs_of


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
        box = grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1]
        inside = _inside(free, box)
        plan = packed(ruled_plan(grid, inside, _fills(sheet.shapes, box)))
        if plan.columns > 1 and (plan.rows < 2 or is_coarse(plan)):
            plan = packed(aligned_plan(_inside(inside, plan.box), plan.box, sheet.strokes) or plan)
        if is_ruled_table(plan) and not is_plot(box, sheet.shapes, sheet.images):
            ruled.append(grid)
            yield plan
            free = _without(free, plan)
    gone = {stroke for grid in ruled for stroke in grid.horizontal}
    strokes = [stroke for stroke in sheet.strokes.horizontal if stroke not in gone]
    for box in [*bands_of(sheet, free, strokes)]:
        plan = aligned_plan(_inside(free, box), box, sheet.strokes)
        if plan and is_table(plan := packed(plan)) and not is_code(plan) and not is_sparse(plan) and not is_plot(box, sheet.shapes, sheet.images):
            yield plan
            free = _without(free, plan)
    for box in [*runs_of(free)]:
        plan = aligned_plan(_inside(free, box), box, sheet.strokes)
        if plan and is_unruled_table(plan := packed(plan)) and not has_bars(box, sheet.shapes) and not is_plot(box, sheet.shapes, sheet.images):
            yield plan
            free = _without(free, plan)


def _fills(shapes: list[Shape], box: Box) -> list[Shape]:
    left, top, right, bottom = box
    return [
        shape
        for shape in shapes
        if shape.fill >= 0 and shape.left < right and shape.right > left and shape.top < bottom and shape.bottom > top
    ]


def _inside(inks: list[Ink], box: Box) -> list[Ink]:
    left, top, right, bottom = box
    return [ink for ink in inks if left <= ink.centre <= right and top <= ink.middle <= bottom]


def _without(inks: list[Ink], plan: Plan) -> list[Ink]:
    gone = {id(ink) for draft in plan.drafts for ink in draft.inks}
    return [ink for ink in inks if id(ink) not in gone]


def _turn_back(table: Table, page: Page, turn: int) -> None:
    for each in (table, *table.cells):
        each.left, each.top, each.right, each.bottom = turned_back(
            (each.left, each.top, each.right, each.bottom), page, turn
        )
