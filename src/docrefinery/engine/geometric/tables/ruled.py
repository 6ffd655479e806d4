"""Tables in grids of rules."""

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter

from docrefinery.engine.geometric.model import Shape
from docrefinery.engine.geometric.tables.draft import Draft, Plan
from docrefinery.engine.geometric.tables.grids import Grid, spans_of
from docrefinery.engine.geometric.tables.lines import Line, is_value, lines_of
from docrefinery.engine.geometric.tables.sheet import Ink

_WHITE = 1.7
"""In em: lines of one paragraph are nearer."""
_COARSE = 3
"""Lines in a row of the grid from which on they may be rows of their own."""


def ruled_plan(grid: Grid, inks: list[Ink], strays: list[Ink], fills: list[Shape]) -> Plan:
    """Return the table that a grid's rules make of the words in it.

    :param strays: words that run in another direction.
    """
    drafts = [Draft(span.row, span.column, span.last_row, span.last_column) for span in spans_of(grid, fills)]
    plan = Plan(drafts, grid.xs, grid.ys)
    home = plan.homes()
    for ink in inks:
        home[plan.field(ink)].inks.append(ink)
    for ink in strays:
        home[plan.field(ink)].strays.append(ink)
    drafts = [part for draft in drafts for part in _parts(draft, grid.xs)]
    return _trimmed(Plan(drafts, grid.xs, grid.ys))


def _parts(draft: Draft, xs: list[float]) -> list[Draft]:
    """Split a cell over several columns if its text stands apart where they part."""
    if draft.column == draft.last_column or len(draft.inks) < 2:
        return [draft]
    pieces = [piece for line in lines_of(draft.inks) for piece in line.pieces]
    crossed = {
        at for piece in pieces for at in range(bisect_right(xs, piece.left + 1), bisect_left(xs, piece.right - 1))
    }
    bounds = [at for at in range(draft.column + 1, draft.last_column + 1) if at not in crossed]
    homes = {bisect_right(bounds, bisect_right(xs, piece.inks[0].centre) - 1) for piece in pieces}
    if len(homes) < 2:
        return [draft]
    starts, ends = [draft.column, *bounds], [*(at - 1 for at in bounds), draft.last_column]
    parts = [Draft(draft.row, start, draft.last_row, end) for start, end in zip(starts, ends, strict=True)]
    parts[0].strays = draft.strays
    for ink in draft.inks:
        parts[bisect_right(bounds, bisect_right(xs, ink.centre) - 1)].inks.append(ink)
    return parts


def _trimmed(plan: Plan) -> Plan:
    """Leave out titles and notes that are in the frame, but over all columns."""
    whole = {
        row
        for draft in plan.drafts
        if draft.column == 0 and draft.last_column == plan.columns - 1
        for row in range(draft.row, draft.last_row + 1)
    }
    first, last = 0, plan.rows
    while first < last and first in whole:
        first += 1
    while last > first and last - 1 in whole:
        last -= 1
    drafts = [draft for draft in plan.drafts if first <= draft.row and draft.last_row < last]
    heading = max((draft.last_row + 1 for draft in drafts if draft.row == first), default=first)
    for draft in drafts:
        draft.header = draft.row < heading < last
        draft.row -= first
        draft.last_row -= first
    return Plan(drafts, plan.xs, plan.ys[first : last + 1])


def is_coarse(plan: Plan) -> bool:
    """Return whether a row of the grid holds several rows: by lines side by side, or by labels with white between.

    Also if a column holds several.
    """
    by_row: dict[int, list[Draft]] = {}
    for draft in plan.drafts:
        if draft.inks:
            by_row.setdefault(draft.row, []).append(draft)
    return _holds_columns(plan) or any(_holds_lists(row, plan) or _holds_labels(row) for row in by_row.values())


def _holds_columns(plan: Plan) -> bool:
    """Return whether nearly all cells of a column hold as many pieces side by side, more than one, in each line."""
    counts: dict[int, Counter[int]] = {}
    for draft in plan.drafts:
        if draft.column == draft.last_column and draft.inks:
            # Justified text has wide gaps too, but does not end with a number.
            pieces = [len(line.pieces) if is_value(line.pieces[-1].text) else 1 for line in lines_of(draft.inks)]
            counts.setdefault(draft.column, Counter())[min(pieces)] += 1
    for count in counts.values():
        most, often = max(count.items(), key=lambda item: (item[1], -item[0]))
        if most > 1 and often >= _COARSE and often * 4 > 3 * count.total():
            return True
    return False


def _holds_lists(row: list[Draft], plan: Plan) -> bool:
    """Return whether the texts of most columns are lines that do not wrap, or as many lines in each of many columns."""
    tall = [(draft, lines) for draft in row if len(lines := lines_of(draft.inks)) >= _COARSE]
    if len(tall) < 2:
        return False
    if len(tall) == len(row) >= _COARSE and len({len(lines) for _, lines in tall}) == 1 < len(tall[0][1]) - _COARSE + 1:
        return True
    return sum(_is_list(draft, lines, plan) for draft, lines in tall) * 2 > len(tall)


def _holds_labels(row: list[Draft]) -> bool:
    """Return whether white parts a row of the grid so that each part has a label of its own."""
    label = row[0]
    beside = [draft for draft in row[1:] if draft.last_row == label.last_row]
    if label.column or not beside or len(lines_of(label.inks)) < 2:
        return False
    lines = lines_of([*label.inks, *(ink for draft in beside for ink in draft.inks)])
    parts: list[list[Line]] = []
    for line in lines:
        if not parts or line.middle - parts[-1][-1].middle > _WHITE * line.size:
            parts.append([])
        parts[-1].append(line)
    known = {id(ink) for ink in label.inks}
    labelled = [any(id(ink) in known for line in part for ink in line.inks) for part in parts]
    filled = sum(any(id(ink) not in known for line in part for ink in line.inks) for part in parts)
    return len(parts) > 1 and all(labelled) and filled > 1


def _is_list(draft: Draft, lines: list[Line], plan: Plan) -> bool:
    room = plan.xs[draft.last_column + 1] - plan.xs[draft.column]
    wraps = 0
    for line, below in itertools.pairwise(lines):
        word = below.inks[0]
        if is_value(word.word.text) and is_value(line.inks[0].word.text):
            continue
        wraps += line.right - line.left + word.right - word.left + 0.9 * line.size > room
    return wraps * 3 <= len(lines) - 1
