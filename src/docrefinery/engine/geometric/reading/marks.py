"""Points of plots that are set as letters: some programs draw each one with a glyph of a symbol font."""

from collections.abc import Sequence

from docrefinery.engine.geometric.model import Segment, Shape

_FEWEST = 60
"""On a page: more than a page has bullets."""
_MARKS = frozenset("●○◯■□▪▫▲△▴▵▼▽◆◇◊★☆✕✖✚✛•∙·⚫⚪◦")


def part_marks(segments: Sequence[Segment]) -> tuple[list[Segment], list[Shape]]:
    """Return a page's text, and as shapes what are only marks of a plot; none if there are few."""
    marks = [segment for segment in segments if all(_MARKS.issuperset(word.text) for word in segment.words)]
    if len(marks) < _FEWEST:
        return list(segments), []
    gone = {id(segment) for segment in marks}
    shapes = [Shape(mark.left, mark.top, mark.right, mark.bottom) for mark in marks]
    return [segment for segment in segments if id(segment) not in gone], shapes
