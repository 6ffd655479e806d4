"""Bullets that are drawn, not written."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from docrefinery.engine.geometric.layout.lines import Line, Reference
from docrefinery.engine.geometric.model import Shape

_MOST = 50
"""Shapes beside a line that are looked at: a line in a drawing has more."""
_SMALLEST, _LARGEST = 0.15, 0.9
"""In em."""
_FARTHEST = 2.0
_OFF_CENTRE = 0.35
BULLET = "\u2022"


def mark_bullets(lines: Sequence[Line], shapes: Sequence[Shape]) -> None:
    """Put a bullet before the text of each line that has one drawn right before it, of about the size of a letter."""
    small = [shape for shape in shapes if max(shape.right - shape.left, shape.bottom - shape.top) < _LARGEST * 24]
    if not small:
        return
    small.sort(key=lambda shape: (shape.top, shape.left))
    tops = [shape.top for shape in small]
    for line in lines:
        near = small[bisect_left(tops, line.top - line.height) : bisect_right(tops, line.bottom)][:_MOST]
        shape = next((shape for shape in near if _is_bullet(shape, line)), None)
        if shape is None:
            continue
        line.text = f"{BULLET} {line.text}"
        line.left = shape.left
        line.references = [Reference(each.start + 2, each.end + 2, each.uri) for each in line.references]


def _is_bullet(shape: Shape, line: Line) -> bool:
    em = line.size
    width, height = shape.right - shape.left, shape.bottom - shape.top
    gap = line.left - shape.right
    if not (0 < gap < _FARTHEST * em and _SMALLEST * em <= min(width, height) and max(width, height) <= _LARGEST * em):
        return False
    off = abs((shape.top + shape.bottom) / 2 - (line.top + line.bottom) / 2)
    return off < _OFF_CENTRE * em and 0.6 < width / height < 1.7
