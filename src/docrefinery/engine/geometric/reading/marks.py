"""Points of plots that are set as letters: some programs draw each one with a glyph of a symbol font."""

from collections import Counter
from collections.abc import Sequence

from docrefinery.engine.geometric.model import Segment, Shape

_FEWEST = 60
"""On a page: more than a page has bullets."""
_IN_GRID = 0.6
_ALONG = 3
_MARKS = frozenset("●○◯■□▪▫▲△▴▵▼▽◆◇◊★☆✕✖✚✛•∙·⚫⚪◦")


def part_marks(segments: Sequence[Segment]) -> tuple[list[Segment], list[Shape]]:
    """Return a page's text, and as shapes what are only marks of a plot; none if there are few."""
    marks = [segment for segment in segments if all(_MARKS.issuperset(word.text) for word in segment.words)]
    if len(marks) < _FEWEST or _form_grid(marks):
        return list(segments), []
    gone = {id(segment) for segment in marks}
    shapes = [Shape(mark.left, mark.top, mark.right, mark.bottom) for mark in marks]
    return [segment for segment in segments if id(segment) not in gone], shapes


def _form_grid(marks: Sequence[Segment]) -> bool:
    """Whether most marks stand in rows and columns with others: then they are the ticks of a table."""
    rows = Counter(round(mark.top) for mark in marks)
    columns = Counter(round((mark.left + mark.right) / 2) for mark in marks)
    within = sum(
        rows[round(mark.top)] >= _ALONG and columns[round((mark.left + mark.right) / 2)] >= _ALONG for mark in marks
    )
    return within > _IN_GRID * len(marks)
