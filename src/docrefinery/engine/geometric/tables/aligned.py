"""Tables whose rows and columns show by how their text stands."""

from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.tables.columns import Column, Entry, bounds_of, columns_of, entries_of
from docrefinery.engine.geometric.tables.draft import Draft, Plan
from docrefinery.engine.geometric.tables.heading import full, heading, heading_length
from docrefinery.engine.geometric.tables.lines import is_value, lines_of, spaced
from docrefinery.engine.geometric.tables.rows import Filled, rows_of
from docrefinery.engine.geometric.tables.sheet import Ink
from docrefinery.engine.geometric.tables.strokes import Strokes
from docrefinery.engine.geometric.tables.wraps import Row

_OFF_CENTRE = 1.5
"""In em."""
_TALL = 0.5
"""Share of a table's height that a rule covers that parts columns."""


def aligned_plan(inks: list[Ink], box: Box, strokes: Strokes) -> Plan | None:
    """Return the table that words make, or ``None`` if they have no columns.

    :param box: in which the words are.
    :param strokes: of the sheet.
    """
    left, top, right, bottom = box
    separators = tuple(
        x
        for x, start, end in strokes.vertical
        if left + 3 < x < right - 3 and min(end, bottom) - max(start, top) > _TALL * (bottom - top)
    )
    lines = lines_of(inks, separators)
    columns = columns_of(lines, separators)
    if len(columns) < 2:
        return None
    filled = [(line, entries_of(line, columns)) for line in lines]
    filled, top = _without_title(filled, top, len(columns))
    box = left, top, right, bottom
    rules = [s for s in strokes.horizontal if top < s.at < bottom and s.start < right and s.end > left]
    walls = [s for s in strokes.vertical if left - 3 < s.at < right + 3 and s.start < bottom and s.end > top]
    count = heading_length(filled, columns, rules)
    drafts: list[Draft] = []
    floors: list[float] = []
    if count:
        drafts, floors = heading(filled[:count], columns, rules, walls)
    rows = rows_of(filled[count:], columns, [rule.at for rule in rules if full(rule, columns)])
    return _plan(drafts, floors, filled[:count], rows, columns, box)


def _plan(
    drafts: list[Draft], floors: list[float], above: list[Filled], rows: list[Row], columns: list[Column], box: Box
) -> Plan:
    first = len(floors) + 1 if above else 0
    last_bottom = above[-1][0].bottom if above else None
    ys = [box[1], *floors]
    for at, row in enumerate(rows):
        if last_bottom is not None:
            ys.append((last_bottom + row.lines[0][0].top) / 2)
        last_bottom = row.lines[-1][0].bottom
        drafts += _row_drafts(row, first + at, columns, is_header=not above and not at)
    ys.append(box[3])
    for at in range(1, len(ys)):
        ys[at] = max(ys[at], ys[at - 1])
    return Plan(drafts, [box[0], *bounds_of(columns), box[2]], ys)


def _row_drafts(row: Row, at: int, columns: list[Column], *, is_header: bool) -> list[Draft]:
    drafts: list[Draft] = []
    entries = [entry for _, each in row.lines for entry in each]
    if len(row.lines) == len(entries) == 1:
        return [_title(entries[0], at, columns, is_header=is_header)]
    for first, last, inks in sorted(entries, key=lambda e: e[:2]):
        if drafts and first <= drafts[-1].last_column:
            drafts[-1].last_column = max(last, drafts[-1].last_column)
            drafts[-1].inks.extend(inks)
        else:
            drafts.append(Draft(at, first, at, last, list(inks), header=is_header))
    return drafts


def _without_title(filled: list[Filled], top: float, count: int) -> tuple[list[Filled], float]:
    """Leave out lines above a table that run over all its columns; return where it starts then."""
    first = 0
    while (
        first < len(filled) - 1
        and len(entries := filled[first][1]) == 1
        and entries[0].last - entries[0].first == count - 1
    ):
        first += 1
    if not first:
        return filled, top
    return filled[first:], (filled[first - 1][0].bottom + filled[first][0].top) / 2


def _title(entry: Entry, at: int, columns: list[Column], *, is_header: bool) -> Draft:
    """Return the cell of a line with one text: set in the middle of all columns but the first, it is over them."""
    first, last, inks = entry
    left, right = inks[0].left, max(ink.right for ink in inks)
    if first == 0 and left < columns[0].right:
        last = 0
    elif last > first or not is_value(spaced(inks)):
        off = (left + right - columns[1].left - columns[-1].right) / 2
        if abs(off) < _OFF_CENTRE * inks[0].size:
            first, last = 1, len(columns) - 1
    return Draft(at, first, at, last, list(inks), header=is_header)
