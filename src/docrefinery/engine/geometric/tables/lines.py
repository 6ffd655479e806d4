"""Words in lines, and the pieces of a line that stand apart from each other."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from docrefinery.engine.geometric.tables.sheet import Ink

_SAME_LINE = 0.45
"""In em: how far the middles of two words of one line are apart."""
_APART = 0.5
"""In em: a gap that words of one cell do not have between them."""
_APART_MONO = 1.1
"""The same where the space is as wide as a letter."""
_NUMBER = re.compile(r"[^\w\s]{0,2}\d+(([.,]\d+)+|%)[^\w\s]{0,2}")
"""One that is complete: a space may stand between the thousands of one without a point or comma."""
_BROKEN = 20
"""Letters of a line without a space that may have been broken where its cell ends."""
_VALUE = re.compile(
    r"[^\w\s]*+\d[\d.,:/\s\u2013-]*+[^\w\s]*+[a-z]?[^\w\s]*+"
    r"|[^\w\s]+|n\.?/?a\.?|\(?x\)?|[<>=±+\u2013-]?\s?[$€£]?\d.{0,6}",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Piece:
    """Words of one line with only spaces between them, from left to right."""

    inks: list[Ink]

    @property
    def left(self) -> float:
        """Where it starts."""
        return self.inks[0].left

    @property
    def right(self) -> float:
        """Where it ends."""
        return max(ink.right for ink in self.inks)

    @property
    def width(self) -> float:
        """In points."""
        return self.right - self.left

    @property
    def text(self) -> str:
        """What it says."""
        return spaced(self.inks)


@dataclass(slots=True)
class Line:
    """Words on one height.

    :param size: of the em of its largest word, in points.
    """

    middle: float
    size: float
    inks: list[Ink]
    pieces: list[Piece] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Where its first word starts."""
        return self.inks[0].left

    @property
    def right(self) -> float:
        """Where its last word ends."""
        return max(ink.right for ink in self.inks)

    @property
    def top(self) -> float:
        """Of its highest word."""
        return min(ink.top for ink in self.inks)

    @property
    def bottom(self) -> float:
        """Of its lowest word."""
        return max(ink.bottom for ink in self.inks)


def lines_of(inks: Iterable[Ink], separators: tuple[float, ...] = ()) -> list[Line]:
    """Return words as lines from top to bottom.

    :param separators: where a piece ends even if no gap is there.
    """
    lines: list[Line] = []
    for ink in sorted(inks, key=lambda ink: (ink.middle, ink.left, ink.top, ink.right)):
        line = lines[-1] if lines else None
        if line and ink.middle - line.middle <= _SAME_LINE * max(line.size, ink.size):
            line.inks.append(ink)
            if ink.size > line.size:
                line.middle, line.size = ink.middle, ink.size
        else:
            lines.append(Line(ink.middle, ink.size, [ink]))
    for line in lines:
        line.inks.sort(key=lambda ink: (ink.left, ink.right, ink.top))
        line.pieces = _pieces(line.inks, separators)
    return lines


def _pieces(inks: list[Ink], separators: tuple[float, ...]) -> list[Piece]:
    pieces: list[Piece] = []
    right = 0.0
    for ink in inks:
        em = min(ink.size, pieces[-1].inks[-1].size) if pieces else ink.size
        gap = (_APART_MONO if ink.mono else _APART) * em
        is_new = not pieces or ink.left - right > gap or _are_two_numbers(pieces[-1].inks[-1], ink)
        if is_new or bisect_right(separators, right - em / 4) < bisect_left(separators, ink.left + em / 4):
            pieces.append(Piece([ink]))
            right = ink.right
        else:
            pieces[-1].inks.append(ink)
            right = max(right, ink.right)
    return pieces


def _are_two_numbers(ink: Ink, beside: Ink) -> bool:
    is_apart = beside.left - ink.right > ink.size / 5
    return is_apart and bool(_NUMBER.fullmatch(ink.word.text) and _NUMBER.fullmatch(beside.word.text))


def spaced(inks: list[Ink]) -> str:
    """Return the text of words of one line."""
    return "".join(("" if not at or ink.word.glued else " ") + ink.word.text for at, ink in enumerate(inks))


def joined(lines: list[list[Ink]]) -> str:
    """Return the text of the lines of a cell; a word parted at a line's end becomes whole."""
    text = ""
    for line in lines:
        here = spaced(line)
        if len(text) > 1 and text[-1] in "-\u00ad\u2010" and text[-2].isalpha() and here[:1].islower():
            text = text[:-1] + here
        elif text and " " not in text and len(text) >= _BROKEN and here[:1].islower():
            text += here
        else:
            text = f"{text} {here}" if text else here
    return text


def is_value(text: str) -> bool:
    """Return whether a cell holds nothing but numbers, or marks for one that is not there."""
    return bool(text) and all(_VALUE.fullmatch(part) for part in text.split())
