"""Which lines of a table make one row.

A line goes on with the row above if it could not have been set beside it (the word would not have fitted into the
column) and looks like a continuation, as in the bottom-up grouping of T-Recs (Kieninger, Table structure recognition
based on robust block segmentation, 1998); a line with a number of its own is a row of its own.
"""

import itertools
from bisect import bisect_right
from dataclasses import dataclass

from docrefinery.engine.geometric.tables.columns import Column, Entry
from docrefinery.engine.geometric.tables.lines import Line, is_value, spaced

_SPACE = 0.28
"""In em."""
_INDENT = 0.5
"""In em: how far a continued label stands in."""
_OUT = 0.3
"""In em: a label that stands out so far from the one above is a new one."""
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
_OPEN_MARKS = ("-", "\u00ad", "\u2010", "\u2013", "\u2014", ",", "/", "&", "(")
_OPEN_WORDS = ("and", "or", "of", "the", "in", "for", "to", "with", "by", "from", "than", "et", "und", "de")


@dataclass(slots=True)
class Row:
    """Lines of one row, each with what it has in the columns."""

    lines: list[tuple[Line, list[Entry]]]


def rows_of(lines: list[tuple[Line, list[Entry]]], columns: list[Column], floors: list[float]) -> list[Row]:
    """Return the rows of a table's body.

    :param floors: heights of rules that part rows.
    """
    bands = [[*band] for _, band in itertools.groupby(lines, key=lambda filled: bisect_right(floors, filled[0].middle))]
    if len(bands) >= _FEWEST_BANDS and max(sum(map(_is_data, band)) for band in bands) == 1:
        return [Row(band) for band in bands]
    lead, usual = _steps([line for line, _ in lines])
    rows: list[Row] = []
    for band in bands:
        first = len(rows)
        for line, entries in band:
            if len(rows) > first and _goes_on(rows[-1], line, entries, columns, lead, usual):
                rows[-1].lines.append((line, entries))
            else:
                rows.append(Row([(line, entries)]))
    return rows


def _is_data(filled: tuple[Line, list[Entry]]) -> bool:
    """Return whether a line has a number beside its label."""
    return any(entry.first and is_value(spaced(entry.inks)) for entry in filled[1])


def _steps(lines: list[Line]) -> tuple[float, float]:
    """Return the distance of lines that are as close as any, but for a few, and the usual one."""
    steps = sorted(
        step for a, b in itertools.pairwise(lines) if (step := b.middle - a.middle) > _SAME_ROW * max(a.size, b.size)
    )
    return (steps[len(steps) // 10], steps[len(steps) // 2]) if steps else (0.0, 0.0)


def _goes_on(row: Row, line: Line, entries: list[Entry], columns: list[Column], lead: float, usual: float) -> bool:
    last, _ = row.lines[-1]
    step = line.middle - last.middle
    if step < _SAME_ROW * min(line.size, last.size):
        return True
    if step > _LOOSE * max(lead, line.size) or len(row.lines) >= _MOST_LINES:
        return False
    if not entries or entries[0].first:
        return _adds_to(row, entries, columns)
    values = [text for entry in entries[1:] if is_value(text := spaced(entry.inks))]
    if values and not _is_label(row):
        return _are_shares(values, row) and _wraps(row, entries[0], columns, is_tight=True)
    if _is_label(row) and len(entries) > 1:
        return _wraps(row, entries[0], columns) and _is_broken(row, entries[0])
    is_tight = step < _TIGHT * usual or (len(entries) > 1 and _has_value(row))
    return all(_wraps(row, entry, columns, is_tight=is_tight) for entry in entries)


def _has_value(row: Row) -> bool:
    return any(is_value(spaced(entry.inks)) for _, entries in row.lines for entry in entries if entry.first)


def _are_shares(values: list[str], row: Row) -> bool:
    """Return whether all are in brackets, under numbers that are not."""
    above = [spaced(entry.inks) for _, entries in row.lines for entry in entries if entry.first]
    return all(value[0] in "([" for value in values) and not any(text[0] in "([" for text in above)


def _is_label(row: Row) -> bool:
    """Return whether only the first column has text so far."""
    return all(not entry.last for _, entries in row.lines for entry in entries)


def _adds_to(row: Row, entries: list[Entry], columns: list[Column]) -> bool:
    """Return whether a line without a label belongs to the row above."""
    for entry in entries:
        before = _above(row, entry)
        if before and (is_value(spaced(entry.inks)) or not _wraps(row, entry, columns)):
            return False
    return True


def _above(row: Row, entry: Entry) -> tuple[Line, Entry] | None:
    found = [(line, each) for line, entries in row.lines for each in entries if each.first == entry.first]
    return found[-1] if found else None


def _wraps(row: Row, entry: Entry, columns: list[Column], *, is_tight: bool = False) -> bool:
    """Return whether an entry goes on with the one above it."""
    found = _above(row, entry)
    if not found:
        return False
    line, before = found
    if line is not row.lines[-1][0]:
        return False
    space = _SPACE * entry.inks[0].size
    more = space + entry.inks[0].right - entry.inks[0].left
    left, right = before.inks[0].left, max(ink.right for ink in before.inks)
    column = Column(columns[entry.first].left, columns[entry.last].right)
    forced = right + more > column.right or right - left + more > column.right - column.left
    if entry.first:
        return forced
    if entry.inks[0].left < min(before.inks[0].left, _start(row)) - _OUT * line.size:
        return False
    stands_in = entry.inks[0].left - before.inks[0].left > _INDENT * line.size
    return forced and (is_tight or stands_in or _is_broken(row, entry)) and not spaced(before.inks).endswith(":")


def _start(row: Row) -> float:
    return min(entry.inks[0].left for _, entries in row.lines for entry in entries if not entry.first)


def _is_broken(row: Row, entry: Entry) -> bool:
    """Return whether a label's words say that it goes on with the line above."""
    found = _above(row, entry)
    last = found[1].inks[-1].word.text.lower() if found else ""
    return entry.inks[0].word.text[0].islower() or last.endswith(_OPEN_MARKS) or last in _OPEN_WORDS
