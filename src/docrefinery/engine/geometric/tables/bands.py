"""Tables between horizontal rules, as in books: a rule above, one under the heading, one below."""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.tables.lines import Line, lines_of
from docrefinery.engine.geometric.tables.sheet import Ink, Sheet
from docrefinery.engine.geometric.tables.strokes import Stroke

_SHORTEST = 0.12
"""Share of the page's width."""
_SHORT = 0.3
"""Share of a table's width that a heading above a few columns fills."""
_PROSE = 0.6
"""Share of a table's width that a line of running text fills without a gap."""
_OPEN_STEP = 3.0
"""In em: how far apart lines of a table without a rule below are."""
_FEWEST_PARTED = 3
_MOST_BELOW = 2_000
_OPEN_CHAINS = 64
_MOST_CHAINS = 200
"""A page with more is a drawing."""
_TALLEST_GAP = 4.0
"""In em: how much white may be between lines of a table."""


def bands_of(sheet: Sheet, inks: list[Ink], strokes: list[Stroke]) -> Iterator[tuple[Box, int]]:
    """Return where rules of one width have lines with gaps between them, and how many rules there are.

    :param inks: words that are in no table yet, sorted by their middle.
    :param strokes: horizontal rules that belong to no grid.
    """
    middles = [ink.middle for ink in inks]
    for chain in _chains([stroke for stroke in strokes if stroke.length >= _SHORTEST * sheet.width]):
        run: list[Stroke] = []
        for above, below in itertools.pairwise(chain):
            between = inks[bisect_left(middles, above.at) : bisect_left(middles, below.at)]
            start, end = above.start - 3, above.end + 3
            if _is_tabular([ink for ink in between if start < ink.centre < end], above, below):
                run = run or [above]
                run.append(below)
                continue
            if run:
                yield _box(run), len(run)
            run = []
        if len(run) == 2 and (bottom := _open_end(run, inks[bisect_right(middles, run[-1].at) :])):
            left, top, right, _ = _box(run)
            yield (left, top, right, bottom), len(run) + 1
        elif run:
            yield _box(run), len(run)


def _box(run: list[Stroke]) -> Box:
    return min(s.start for s in run), run[0].at, max(s.end for s in run), run[-1].at


def _open_end(run: list[Stroke], inks: list[Ink]) -> float:
    """Return how far down lines like a heading's go on under its rule, 0 if they do not: the table goes on overleaf."""
    start, end = run[0].start - 3, run[0].end + 3
    words = [ink for ink in inks[:_MOST_BELOW] if start < ink.centre < end]
    parted, bottom, last = 0, 0.0, run[-1].at
    lines = lines_of(words)
    for at, line in enumerate(lines):
        is_far = line.middle - last > _OPEN_STEP * line.size
        if is_far or _is_prose(line, run[0]) or _is_astray(lines, at, 0.0):
            break
        parted += len(line.pieces) > 1
        last, bottom = line.middle, line.bottom
    return bottom if parted >= _FEWEST_PARTED else 0.0


def _chains(strokes: list[Stroke]) -> list[list[Stroke]]:
    """Return rules that start and end alike, from top to bottom."""
    chains: list[list[Stroke]] = []
    for stroke in sorted(strokes):
        slack = max(4.0, 0.02 * stroke.length)
        for chain in chains[-_OPEN_CHAINS:]:
            if abs(chain[-1].start - stroke.start) <= slack and abs(chain[-1].end - stroke.end) <= slack:
                chain.append(stroke)
                break
        else:
            chains.append([stroke])
    return [chain for chain in chains if len(chain) > 1][:_MOST_CHAINS]


def _is_tabular(inks: list[Ink], above: Stroke, below: Stroke) -> bool:
    lines = lines_of(inks)
    if not lines:
        return below.at - above.at < 20
    size = max(line.size for line in lines)
    edges = [above.at, *(line.middle for line in lines), below.at]
    if max(b - a for a, b in itertools.pairwise(edges)) > _TALLEST_GAP * size:
        return False
    parted = sum(len(line.pieces) > 1 for line in lines)
    prose = sum(_is_prose(line, above) for line in lines)
    astray = sum(_is_astray(lines, at, _SHORT * (above.end - above.start)) for at in range(len(lines)))
    return prose * 4 <= len(lines) and (astray * 2 <= len(lines) if parted else len(lines) <= 2)


def _is_astray(lines: list[Line], at: int, short: float) -> bool:
    """Return whether a line is one long piece that does not start under or over one of a line with several."""
    if len(lines[at].pieces) > 1 or lines[at].pieces[0].width < short:
        return False
    parted = [line for line in lines[max(0, at - 6) : at + 7] if len(line.pieces) > 1]
    return not any(abs(piece.left - lines[at].left) < line.size for line in parted for piece in line.pieces)


def _is_prose(line: Line, rule: Stroke) -> bool:
    return any(piece.width > _PROSE * rule.length for piece in line.pieces)
