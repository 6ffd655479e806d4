"""Which lines of a table make one row.

A line goes on with the row above if it could not have been set beside it (the word would not have fitted into the
column) and looks like a continuation, as in the bottom-up grouping of T-Recs (Kieninger, Table structure recognition
based on robust block segmentation, 1998); a line with a number of its own is a row of its own.
"""

import itertools
from bisect import bisect_right

from docrefinery.engine.geometric.tables.columns import Column, Entry
from docrefinery.engine.geometric.tables.lines import Line, is_value, spaced
from docrefinery.engine.geometric.tables.wraps import Row

_MOST_LINES = 100
"""Of a row."""
_FEWEST_BANDS = 3
"""Of lines between rules, from which on each may be a row."""
_SAME_ROW = 0.75
"""In em: lines of a row whose cells are set in the middle of its height are as near as this."""
_TIGHT = 0.85
"""Share of the usual distance of lines from which on two are one paragraph."""
_LOOSE = 1.25
"""Lines that are so much farther apart than the closest are not one paragraph."""

Filled = tuple[Line, list[Entry]]


def rows_of(lines: list[Filled], columns: list[Column], floors: list[float]) -> list[Row]:
    """Return the rows of a table's body.

    :param floors: heights of rules that part rows.
    """
    bands = [[*band] for _, band in itertools.groupby(lines, key=lambda filled: bisect_right(floors, filled[0].middle))]
    are_rows = len(bands) >= _FEWEST_BANDS and max(sum(map(_is_data, band)) for band in bands) == 1
    lead, usual = _steps([line for line, _ in lines])
    rows: list[Row] = []
    for band in bands:
        rows.append(Row())
        for line, entries in band:
            is_first = not rows[-1].lines
            if not is_first and not are_rows and not _goes_on(rows[-1], line, entries, columns, (lead, usual)):
                rows.append(Row())
            rows[-1].add(line, entries)
    return rows


def _is_data(filled: Filled) -> bool:
    """Return whether a line has a number beside its label."""
    return any(entry.first and is_value(spaced(entry.inks)) for entry in filled[1])


def _steps(lines: list[Line]) -> tuple[float, float]:
    """Return the distance of lines that are as close as any, but for a few, and the usual one."""
    steps = sorted(
        step for a, b in itertools.pairwise(lines) if (step := b.middle - a.middle) > _SAME_ROW * max(a.size, b.size)
    )
    return (steps[len(steps) // 10], steps[len(steps) // 2]) if steps else (0.0, 0.0)


def _goes_on(row: Row, line: Line, entries: list[Entry], columns: list[Column], steps: tuple[float, float]) -> bool:
    last, _ = row.lines[-1]
    lead, usual = steps
    step = line.middle - last.middle
    if step < _SAME_ROW * min(line.size, last.size):
        return True
    if step > _LOOSE * max(lead, line.size) or len(row.lines) >= _MOST_LINES:
        return False
    if not entries or entries[0].first:
        return all(not row.has(entry.first) or _adds_to(row, entry, columns) for entry in entries)
    values = [text for entry in entries[1:] if is_value(text := spaced(entry.inks))]
    if values and not row.is_label:
        # Shares in brackets stand under the numbers that they are of.
        are_shares = not row.has_share and all(value.startswith(("(", "[")) for value in values)
        return are_shares and row.wraps(entries[0], columns, is_tight=True)
    if row.is_label and len(entries) > 1:
        return row.wraps(entries[0], columns) and row.is_broken(entries[0])
    is_tight = step < _TIGHT * usual or (len(entries) > 1 and row.has_value)
    return all(row.wraps(entry, columns, is_tight=is_tight) for entry in entries)


def _adds_to(row: Row, entry: Entry, columns: list[Column]) -> bool:
    """Return whether an entry of a line without a label belongs to the text above."""
    return not is_value(spaced(entry.inks)) and row.wraps(entry, columns)
