"""Tables without rules: runs of lines whose pieces stand under each other.

After Hu, Kashi, Lopresti and Wilfong (Medium-independent table detection, 1999): a table is a run of lines that part
at the same places; what tells it from columns of text is how short its pieces are.
"""

from collections.abc import Iterator

from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.tables.lines import Line, lines_of
from docrefinery.engine.geometric.tables.sheet import Ink

_FEWEST_LINES = 3
_LABELS = 2
_STEP = 2.6
"""In em: lines of one table are no farther apart."""


def runs_of(inks: list[Ink]) -> Iterator[Box]:
    """Return where lines of several pieces follow each other."""
    run: list[Line] = []
    for line in lines_of(inks):
        near = not run or line.middle - run[-1].middle <= _STEP * max(line.size, run[-1].size)
        if run and not (near and (len(line.pieces) > 1 or _is_label(line, run))):
            yield from _trimmed(run)
            run = []
        if run or len(line.pieces) > 1:
            run.append(line)
    yield from _trimmed(run)


def _is_label(line: Line, run: list[Line]) -> bool:
    """Return whether a line of one piece may be the title of a section within a table: one or two above each other."""
    if len(run) < _LABELS or all(len(each.pieces) < 2 for each in run[-_LABELS:]):
        return False
    full = next(each for each in reversed(run) if len(each.pieces) > 1)
    # It starts with the labels, and ends before the last of the columns.
    return line.left < full.pieces[1].left and line.right < full.pieces[-1].left


def _trimmed(run: list[Line]) -> Iterator[Box]:
    while run and len(run[-1].pieces) < 2:
        run.pop()
    if len(run) >= _FEWEST_LINES:
        yield (
            min(line.left for line in run),
            min(line.top for line in run),
            max(line.right for line in run),
            max(line.bottom for line in run),
        )
