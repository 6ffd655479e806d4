"""The columns of a table that has no rules between them.

What stays white through all lines with many pieces parts two columns: the vertical projection of Hu, Kashi, Lopresti
and Wilfong (Medium-independent table detection, 1999), kept to the lines that show the columns best, as headings that
span columns and titles of sections close the gaps.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter
from operator import itemgetter
from typing import NamedTuple

from docrefinery.engine.geometric.tables.lines import Line, Piece, is_value
from docrefinery.engine.geometric.tables.sheet import Ink

_NARROWEST_GAP = 0.2
"""In em."""
_RICH = 0.6
"""Share of the pieces of the fullest lines that a line has to have to show the columns."""
_WIDE = 0.38
"""In em: a space that is wider parts two columns if it is where they part."""
_WIDER = 0.12
"""In em: the same for one that is so much wider than others of its line."""
_BESIDE = 3.0
"""In em: how far a name may stand beside its column."""
_EVEN = 0.12
"""In em: edges that are so near are one."""
_MONO = 2.2
"""How much wider spaces are in fonts of one width."""
_STRAY = 12
"""One in so many lines may run across a gap."""


class Column(NamedTuple):
    """Where the text of a column is."""

    left: float
    right: float


class Entry(NamedTuple):
    """Words of a line in a column, or over several columns."""

    first: int
    last: int
    inks: list[Ink]


def columns_of(lines: list[Line], separators: tuple[float, ...] = ()) -> list[Column]:
    """Return the columns that lines show."""
    counts = Counter(len(line.pieces) for line in lines)
    most = max((count for count in counts if sum(counts[more] for more in counts if more >= count) >= 2), default=1)
    rich = [line for line in lines if len(line.pieces) >= max(2, _RICH * most)]
    if len(rich) < 2:
        return []
    stray = len(rich) // _STRAY if len(rich) >= _STRAY else int(len(rich) >= 4)
    em = sorted(line.size for line in rich)[len(rich) // 2]
    columns = _covered([piece for line in rich for piece in line.pieces], stray, _NARROWEST_GAP * em)
    # Columns that are empty but for a line or two.
    missed = [piece for line in rich for piece in line.pieces if not _over(piece, columns)]
    homes = {bisect_right(separators, (column.left + column.right) / 2) for column in columns} if separators else set()
    missed = [piece for piece in missed if bisect_right(separators, piece.inks[0].centre) not in homes]
    # A name set in the middle over what is set to the side stands beside its column.
    if len(missed) == 1 or all(piece in rich[0].pieces for piece in missed):
        columns = _with_names(columns, rich[0], missed)
    else:
        columns = sorted(columns + _covered(missed, 0, _NARROWEST_GAP * em))
    return _parted(_widened(columns, rich), rich, separators)


def _covered(pieces: list[Piece], stray: int, gap: float) -> list[Column]:
    """Return where more than ``stray`` pieces are on top of each other."""
    ends = sorted([(piece.left, 1) for piece in pieces] + [(piece.right, -1) for piece in pieces])
    columns: list[Column] = []
    depth, start = 0, 0.0
    for at, step in ends:
        before, depth = depth, depth + step
        if before <= stray < depth:
            start = at
        elif depth <= stray < before and at > start:
            if columns and start - columns[-1].right < gap:
                columns[-1] = Column(columns[-1].left, at)
            else:
                columns.append(Column(start, at))
    return columns


def _with_names(columns: list[Column], line: Line, missed: list[Piece]) -> list[Column]:
    """Return columns with those of a line's pieces that are over none: a nearest free one's, or their own."""
    free = [column for column in columns if not any(_over(piece, [column]) for piece in line.pieces)]
    for piece in missed:
        near = [c for c in free if max(c.left - piece.right, piece.left - c.right) < _BESIDE * line.size]
        if near and piece in line.pieces:
            best = min(near, key=lambda column: abs(column.left + column.right - piece.left - piece.right))
            free.remove(best)
            columns[columns.index(best)] = Column(min(best.left, piece.left), max(best.right, piece.right))
        else:
            columns = sorted([*columns, Column(piece.left, piece.right)])
    return columns


def _widened(columns: list[Column], lines: list[Line]) -> list[Column]:
    """Return columns as wide as all that is in one of them alone."""
    lefts, rights = [column.left for column in columns], [column.right for column in columns]
    for line in lines:
        for piece in line.pieces:
            first = bisect_right(columns, piece.left, key=lambda column: column.right)
            last = bisect_left(columns, piece.right, key=lambda column: column.left) - 1
            if first == last:
                lefts[first] = min(lefts[first], piece.left)
                rights[first] = max(rights[first], piece.right)
    for at in range(1, len(columns)):
        if lefts[at] < rights[at - 1]:
            lefts[at] = rights[at - 1] = (lefts[at] + rights[at - 1]) / 2
    return [Column(left, right) for left, right in zip(lefts, rights, strict=True)]


def _over(piece: Piece, columns: list[Column]) -> bool:
    at = bisect_right(columns, piece.left, key=lambda column: column.right)
    return at < len(columns) and columns[at].left < piece.right


def _parted(columns: list[Column], lines: list[Line], separators: tuple[float, ...]) -> list[Column]:
    """Split columns where a rule runs through them, but for parts without text."""
    centres = sorted((piece.left + piece.right) / 2 for line in lines for piece in line.pieces)
    parted: list[Column] = []
    for left, right in columns:
        inner = separators[bisect_right(separators, left) : bisect_left(separators, right)]
        parts = [Column(a, b) for a, b in itertools.pairwise((left, *inner, right))]
        parted += [
            part for part in parts if not inner or bisect_left(centres, part.left) < bisect_right(centres, part.right)
        ]
    return parted


def bounds_of(columns: list[Column]) -> list[float]:
    """Return the places half way between columns."""
    return [(a.right + b.left) / 2 for a, b in itertools.pairwise(columns)]


def entries_of(line: Line, columns: list[Column]) -> list[Entry]:
    """Return what a line has in the columns, from left to right, each column at most once."""
    bounds = bounds_of(columns)
    entries: list[Entry] = []
    for piece in line.pieces:
        for part in _split(piece, columns, bounds):
            first, last = _reach(part, columns, bounds)
            if entries and first <= entries[-1].last:
                before = entries.pop()
                entries.append(Entry(before.first, max(last, before.last), before.inks + part))
            else:
                entries.append(Entry(first, last, part))
    return entries


def _split(piece: Piece, columns: list[Column], bounds: list[float]) -> list[list[Ink]]:
    """Split a piece where a gap wider than its others lies at a bound."""
    least = min((b.left - a.right for a, b in itertools.pairwise(piece.inks)), default=0.0)
    homes = [bisect_right(bounds, ink.centre) for ink in piece.inks]
    stretches = [[*group] for _, group in itertools.groupby(zip(piece.inks, homes, strict=True), key=itemgetter(1))]
    parts: list[list[Ink]] = []
    for stretch in stretches:
        inks = [ink for ink, _ in stretch]
        if parts and not _is_apart(parts[-1], inks, columns, bounds, least):
            parts[-1].extend(inks)
        else:
            parts.append(inks)
    return parts


def _is_apart(before: list[Ink], inks: list[Ink], columns: list[Column], bounds: list[float], least: float) -> bool:
    """Return whether words on both sides of a bound belong to two columns."""
    gap, ink = inks[0].left - before[-1].right, inks[0]
    em = ink.size * (_MONO if ink.mono else 1)
    if gap > _WIDE * em or gap > least + _WIDER * em:
        return True
    if is_value(before[-1].word.text) and is_value(ink.word.text):
        return True
    # Set to the same edges as what is below.
    slack = _EVEN * ink.size
    here, beside = columns[bisect_right(bounds, before[-1].centre)], columns[bisect_right(bounds, ink.centre)]
    right = abs(here.right - before[-1].right) < slack and abs(beside.right - inks[-1].right) < slack
    return gap > slack and (right or (abs(here.left - before[0].left) < slack and abs(beside.left - ink.left) < slack))


def _reach(inks: list[Ink], columns: list[Column], bounds: list[float]) -> tuple[int, int]:
    left, right = inks[0].left, max(ink.right for ink in inks)
    slack = 0.3 * inks[0].size
    first = bisect_right(columns, left + slack, key=lambda column: column.right)
    last = bisect_left(columns, right - slack, key=lambda column: column.left) - 1
    if last < first:
        first = last = bisect_right(bounds, (left + right) / 2)
    return first, last
