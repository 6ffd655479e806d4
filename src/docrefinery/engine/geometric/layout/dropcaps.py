"""Initials that are as high as several lines: each belongs to the word after it."""

from collections.abc import Sequence

from docrefinery.engine.geometric.layout.lines import Line, Reference

_MOST = 20
_LARGER = 1.8
_NEAR = 0.8
"""In em of the initial: how far the word it begins is from it, at most."""


def join_initials(lines: Sequence[Line]) -> list[Line]:
    """Return lines with each initial put before the first of those beside it, which all begin where it does then."""
    initials = [line for line in lines if len(line.text) == 1 and line.text.isalpha() and line.text.isupper()]
    joined: list[Line] = []
    # More of them are the labels of a drawing.
    for initial in initials[:_MOST]:
        beside = [line for line in lines if line is not initial and _is_beside(line, initial)]
        if not beside:
            continue
        first = min(beside, key=lambda line: line.top)
        if first.top > initial.top + first.height or not first.text[:1].islower():
            continue
        first.text = initial.text + first.text
        first.references = [Reference(each.start + 1, each.end + 1, each.uri) for each in first.references]
        for line in beside:
            line.left = initial.left
        joined.append(initial)
    return [line for line in lines if not any(line is initial for initial in joined)]


def _is_beside(line: Line, initial: Line) -> bool:
    middle = (line.top + line.bottom) / 2
    near = 0 <= line.left - initial.right + 0.1 * initial.size < _NEAR * initial.size
    return initial.top <= middle <= initial.bottom and near and initial.size > _LARGER * line.size
