"""The rules of a page, put together from the pieces that they are drawn in."""

from dataclasses import dataclass
from typing import NamedTuple

from docrefinery.engine.geometric.model import Page
from docrefinery.engine.geometric.tables.turning import turned

# A page with more is a drawing.
MOST_STROKES = 2_000
_SAME = 2.5
"""In points: rules as near as this are one, drawn double or in pieces."""
_GAP = 3.6
"""In points: pieces of a rule are no farther apart; those under headings that span columns are."""
_SHORTEST = 6.0


class Stroke(NamedTuple):
    """A whole rule.

    :param at: its place across: ``y`` of a horizontal one, ``x`` of a vertical one.
    """

    at: float
    start: float
    end: float

    @property
    def length(self) -> float:
        """In points."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Strokes:
    """A sheet's rules, sorted by where they are."""

    horizontal: list[Stroke]
    vertical: list[Stroke]


def strokes_of(page: Page, turn: int) -> Strokes:
    """Return a page's rules after text that runs ``turn`` degrees clockwise has been set upright."""
    horizontal: list[Stroke] = []
    vertical: list[Stroke] = []
    if len(page.rules) > 10 * MOST_STROKES:
        return Strokes(horizontal, vertical)
    for rule in page.rules:
        left, top, right, bottom = turned((rule.left, rule.top, rule.right, rule.bottom), page, turn)
        if rule.horizontal == (turn in (0, 180)):
            horizontal.append(Stroke((top + bottom) / 2, left, right))
        else:
            vertical.append(Stroke((left + right) / 2, top, bottom))
    return Strokes(_merged(horizontal), _merged(vertical))


def _merged(strokes: list[Stroke]) -> list[Stroke]:
    """Join what lies on one line and touches, or nearly so."""
    merged: list[Stroke] = []
    row: list[Stroke] = []
    for stroke in sorted(strokes):
        if row and stroke.at - row[0].at > _SAME:
            merged += _joined(row)
            row = []
        row.append(stroke)
    merged += _joined(row)
    return merged if len(merged) <= MOST_STROKES else []


def _joined(row: list[Stroke]) -> list[Stroke]:
    joined: list[Stroke] = []
    at = sum(stroke.at for stroke in row) / max(1, len(row))
    for _, start, end in sorted(row, key=lambda stroke: (stroke.start, stroke.end)):
        if joined and start - joined[-1].end <= _GAP:
            joined[-1] = Stroke(at, joined[-1].start, max(joined[-1].end, end))
        else:
            joined.append(Stroke(at, start, end))
    return [stroke for stroke in joined if stroke.length >= _SHORTEST]
