"""Which words lie in which boxes."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from docrefinery.engine.geometric.model import Box, Segment, Word
from docrefinery.engine.geometric.reading.words import segment_of


def divide(segments: Iterable[Segment], boxes: Sequence[Box]) -> tuple[list[Segment], list[list[Segment]]]:
    """Return what of segments lies outside of boxes, and what lies in each: words belong where their centre is."""
    outside: list[Segment] = []
    inside: list[list[Segment]] = [[] for _ in boxes]
    for segment in segments:
        if not any(_meets(segment, box) for box in boxes):
            outside.append(segment)
            continue
        for box, words in groupby(segment.words, key=lambda word: _holder(boxes, word)):
            (outside if box is None else inside[box]).append(segment_of(list(words)))
    return outside, inside


def _meets(segment: Segment, box: Box) -> bool:
    return segment.left < box[2] and segment.right > box[0] and segment.top < box[3] and segment.bottom > box[1]


def _holder(boxes: Sequence[Box], word: Word) -> int | None:
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return next((at for at, box in enumerate(boxes) if box[0] <= x <= box[2] and box[1] <= y <= box[3]), None)
