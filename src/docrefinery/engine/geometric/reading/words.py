"""Characters to words, words to segments of lines: all at once for a page, on arrays.

The distances are those of typography: between words of one line there is seldom less than a fifth of an em, between
columns seldom less than one.
"""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from docrefinery.engine.geometric.model import Segment, Style, Word
from docrefinery.engine.geometric.reading.bidi import logical_order, runs_leftwards
from docrefinery.engine.geometric.reading.chars import Chars
from docrefinery.engine.geometric.reading.ideographs import stand_ideographs
from docrefinery.engine.geometric.reading.spacing import respaced

_WORD_GAP = 0.25
"""In em: letters that are farther apart are two words, even if the file has no space there."""
_SEGMENT_GAP = 1.2
"""In em: words that are farther apart may be in two columns."""
_SAME_LINE = 0.35
"""Share of the lower one's height by which two words of one line overlap."""


def segments(chars: Chars, styles: list[Style]) -> list[Segment]:
    """Return the segments of a page, in the order of the file; new styles are added for columns of ideographs."""
    if not len(chars.codes):
        return []
    stand_ideographs(chars, styles)
    chars = _as_read(chars, styles)
    em, direction, along, gap, same_line, onward = _measures(chars, styles)
    same_style = chars.styles[1:] == chars.styles[:-1]
    joined = (gap < _WORD_GAP) & same_line & ~chars.spaced[1:]
    inside = joined & same_style & (chars.tags[1:] == chars.tags[:-1])
    starts = np.flatnonzero(np.r_[True, ~inside])
    same_direction = direction[1:] == direction[:-1]
    follows = (gap < _SEGMENT_GAP) & same_line & onward & same_direction
    opens = np.r_[True, ~follows][starts]
    starts, opens = respaced(starts, opens, chars.codes, along, em)
    glued = np.r_[False, joined][starts] & ~opens
    return _built(chars, starts, opens, glued)


def _as_read(chars: Chars, styles: list[Style]) -> Chars:
    """Return characters with those of lines that run leftwards in the order in which they are read."""
    em, _, along, gap, same_line, _ = _measures(chars, styles)
    found = logical_order(chars.codes, along, same_line, gap, em)
    if found is None:
        return chars
    order, spaced = found
    return replace(
        chars,
        codes=chars.codes[order],
        boxes=chars.boxes[order],
        styles=chars.styles[order],
        tags=chars.tags[order],
        spaced=np.where(spaced < 0, chars.spaced, spaced > 0),
    )


def _measures(chars: Chars, styles: list[Style]) -> tuple[Any, Any, Any, Any, Any, Any]:
    em = np.array([max(style.size, 1.0) for style in styles])[chars.styles]
    direction = np.array([style.direction for style in styles])[chars.styles]
    along, across = _axes(chars.boxes, direction)
    gap, same_line, onward = _steps(along, across, em)
    leftwards = runs_leftwards(chars.codes)
    return em, direction, along, gap, same_line, onward | leftwards[1:] | leftwards[:-1]


def _axes(boxes: Any, direction: Any) -> tuple[Any, Any]:
    """Return extents along a line and across it (n, 2 each), for text that runs in any direction."""
    left, top, right, bottom = boxes.T
    turned = [direction == 90, direction == 180, direction == 270]
    along = np.select(turned, [top, -right, -bottom], left), np.select(turned, [bottom, -left, -top], right)
    across = np.select(turned, [-right, -bottom, left], top), np.select(turned, [-left, -top, right], bottom)
    return np.column_stack(along), np.column_stack(across)


def _steps(along: Any, across: Any, em: Any) -> tuple[Any, Any, Any]:
    """Return of each step to the next character: the gap in em, whether it stays in the line, and whether it goes on.

    The gap is the same for text that runs leftwards; that goes on by going back.
    """
    size = np.minimum(em[1:], em[:-1])
    gap = np.maximum(along[1:, 0] - along[:-1, 1], along[:-1, 0] - along[1:, 1]) / size
    heights = across[:, 1] - across[:, 0]
    overlap = np.minimum(across[1:, 1], across[:-1, 1]) - np.maximum(across[1:, 0], across[:-1, 0])
    same_line = overlap > _SAME_LINE * np.minimum(heights[1:], heights[:-1])
    onward = (along[1:, 0] >= along[:-1, 0] - size) | (gap < _WORD_GAP)
    return gap, same_line, onward


def _built(chars: Chars, starts: Any, opens: Any, glued: Any) -> list[Segment]:
    text = chars.codes.astype("<u4").tobytes().decode("utf-32-le", "replace")
    ends = np.r_[starts[1:], len(chars.codes)]
    low = np.minimum.reduceat(chars.boxes[:, :2], starts).round(2).tolist()
    high = np.maximum.reduceat(chars.boxes[:, 2:], starts).round(2).tolist()
    words = [
        Word(text[start:end], left, top, right, bottom, style, glued=is_glued, tag=tag)
        for start, end, (left, top), (right, bottom), style, is_glued, tag in zip(
            starts.tolist(),
            ends.tolist(),
            low,
            high,
            chars.styles[starts].tolist(),
            glued.tolist(),
            chars.tags[starts].tolist(),
            strict=True,
        )
    ]
    bounds = [*np.flatnonzero(opens).tolist(), len(words)]
    return [segment_of(words[first:last]) for first, last in itertools.pairwise(bounds)]


def segment_of(words: list[Word]) -> Segment:
    """Return the segment that such words make."""
    return Segment(
        words,
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
    )
