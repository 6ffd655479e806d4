"""The search for tables on one sheet: by grids of rules, then between rules, then by alignment alone.

Each kind leaves to the next the words that it did not take: lattice before stream, as in Camelot.
"""

from bisect import bisect_left, bisect_right
from operator import attrgetter

from docrefinery.engine.geometric.model import Box, Shape
from docrefinery.engine.geometric.tables import judge
from docrefinery.engine.geometric.tables.aligned import aligned_plan
from docrefinery.engine.geometric.tables.bands import bands_of
from docrefinery.engine.geometric.tables.draft import Plan, adopt, packed
from docrefinery.engine.geometric.tables.grids import Grid, grids_of
from docrefinery.engine.geometric.tables.ruled import is_coarse, ruled_plan
from docrefinery.engine.geometric.tables.sheet import Ink, Sheet
from docrefinery.engine.geometric.tables.strokes import Stroke
from docrefinery.engine.geometric.tables.unruled import runs_of

_FEWEST_WORDS = 4
_SMALL = 9
"""Fields of a grid that may as well be a box in a drawing."""
_NARROWEST = 0.1
"""Share of the page's width: a narrower grid is a box in a drawing."""
_NEAR = 20.0
"""In points: numbers so near to curves are those of an axis."""
_middle = attrgetter("middle")


class Search:
    """One search.

    :param taken: ``id`` of words of the page that are in tables already; those found are added.
    """

    def __init__(self, sheet: Sheet, taken: set[int]) -> None:
        self._sheet = sheet
        self._taken = taken
        self._free = sorted(
            (ink for ink in sheet.inks if id(ink.word) not in taken), key=lambda ink: (ink.middle, ink.left)
        )
        self._strays = sorted((ink for ink in sheet.strays if id(ink.word) not in taken), key=_middle)
        self._plans: list[Plan] = []

    def plans(self) -> list[Plan]:
        """Return the tables of the sheet as plans that are packed."""
        gone: set[Stroke] = set()
        shapes, images = self._sheet.shapes, self._sheet.images
        for grid in grids_of(self._sheet.strokes):
            plan = self._in_grid(grid)
            if (plan and self._keep(plan)) or (not plan and judge.is_plot(_box(grid), shapes, images)):
                gone.update(grid.horizontal)
        strokes = [stroke for stroke in self._sheet.strokes.horizontal if stroke not in gone]
        for box, count in [*bands_of(self._sheet, self._free, strokes)]:
            if (plan := self._aligned(box)) and self._is_banded(plan, box, count):
                self._keep(plan)
        for box in [*runs_of(self._free)]:
            if (plan := self._aligned(box)) and self._is_unruled(plan, box):
                self._keep(plan)
        return self._plans

    def _keep(self, plan: Plan) -> bool:
        """Keep a plan unless another is in its way, and give it all words that stand on it."""
        left, top, right, bottom = plan.box
        for other in self._plans:
            x0, y0, x1, y1 = other.box
            if left < x1 and right > x0 and top < y1 and bottom > y0:
                return False
        mine = {id(ink.word) for draft in plan.drafts for ink in (*draft.inks, *draft.strays)}
        standing = [*inside(self._free, plan.box), *inside(self._strays, plan.box)]
        adopt(plan, [ink for ink in standing if id(ink.word) not in mine])
        self._taken |= mine | {id(ink.word) for ink in standing}
        self._free = [ink for ink in self._free if id(ink.word) not in self._taken]
        self._strays = [ink for ink in self._strays if id(ink.word) not in self._taken]
        self._plans.append(plan)
        return True

    def _in_grid(self, grid: Grid) -> Plan | None:
        sheet, box = self._sheet, _box(grid)
        words = inside(self._free, box)
        if len(words) < _FEWEST_WORDS or box[2] - box[0] < _NARROWEST * sheet.width:
            return None
        if grid.is_plot or judge.has_bars(box, sheet.shapes):
            return None
        plan = packed(ruled_plan(grid, words, inside(self._strays, box), _fills(sheet.shapes, box)))
        is_open = plan.rows < 2
        if plan.columns > 1 and (is_open or is_coarse(plan)):
            plan = packed(aligned_plan(inside(words, plan.box), plan.box, sheet.strokes) or plan)
            if judge.is_sparse(plan) or (is_open and not judge.is_unruled_table(plan)):
                return None
        around = _NEAR if plan.rows * plan.columns <= _SMALL else 1
        if not judge.is_ruled_table(plan) or judge.is_code(plan):
            return None
        return None if judge.is_plot(box, sheet.shapes, sheet.images, around) else plan

    def _aligned(self, box: Box) -> Plan | None:
        words = inside(self._free, box)
        plan = aligned_plan(words, box, self._sheet.strokes) if len(words) >= _FEWEST_WORDS else None
        return packed(plan) if plan else None

    def _is_banded(self, plan: Plan, box: Box, count: int) -> bool:
        if not judge.is_table(plan) or judge.is_code(plan) or judge.is_sparse(plan):
            return False
        if judge.has_bars(box, self._sheet.shapes):
            return False
        if judge.is_list(plan) or judge.is_plot(box, self._sheet.shapes, self._sheet.images):
            return False
        # Three rules of one width are a table's. Two may be the bars of fractions, or an axis and its frame.
        is_large = plan.columns > 2 and plan.rows > 3
        return count > 2 or ((is_large or judge.is_unruled_table(plan)) and not judge.is_formula(plan))

    def _is_unruled(self, plan: Plan, box: Box) -> bool:
        if not judge.is_unruled_table(plan) or judge.is_sparse(plan) or judge.is_formula(plan) or judge.is_list(plan):
            return False
        shapes, images = self._sheet.shapes, self._sheet.images
        return not judge.has_bars(box, shapes) and not judge.is_plot(box, shapes, images, _NEAR)


def _box(grid: Grid) -> Box:
    return grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1]


def _fills(shapes: list[Shape], box: Box) -> list[Shape]:
    left, top, right, bottom = box
    return [
        shape
        for shape in shapes
        if shape.fill >= 0 and shape.left < right and shape.right > left and shape.top < bottom and shape.bottom > top
    ]


def inside(inks: list[Ink], box: Box) -> list[Ink]:
    """Return the words whose middle is in a box.

    :param inks: sorted by their middle.
    """
    left, top, right, bottom = box
    first = bisect_left(inks, top, key=_middle)
    last = bisect_right(inks, bottom, key=_middle)
    return [ink for ink in inks[first:last] if left <= ink.centre <= right]
