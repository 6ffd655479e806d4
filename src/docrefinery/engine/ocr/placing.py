"""What was read of a page's picture, as what a page has: words with their styles, on lines."""

import math
import statistics

from docrefinery.engine.geometric.model import Box, Page, Segment, Style, Word
from docrefinery.engine.geometric.reading.words import segment_of
from docrefinery.engine.ocr.base import Reading, ReadLine, ReadWord
from docrefinery.engine.ocr.need import Region
from docrefinery.engine.ocr.sheet import Sheet

_TALL = frozenset(
    "bdfhijklt0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ()[]{}/|!?\u00c4\u00d6\u00dc\u00e4\u00f6\u00fc\u00df\u00e9\u00e8"
)
_DEEP = frozenset("gjpqy()[]{}/|,;Q")
_ASCENT, _X_HEIGHT, _DESCENT = 0.72, 0.48, 0.21
"""In em, of common text faces: how far letters reach above the baseline and below."""
_STEP = 1.2
"""From one size of letters to the next: their boxes are no exact measure, and headings of one kind have one size."""
_LEAST = 0.25
_GAP = 1.5
_BACKGROUND = 0.75
"""Share of the page from which a bitmap under recognised text is the scan itself and no figure."""
_TEXT = 0.08
"""Share of a bitmap from which text that was read in it makes it a scan of text, and no figure with a label."""


def place(page: Page, region: Region, sheet: Sheet, reading: Reading) -> None:
    """Put what was read in a region into the page, and take away the bitmaps that were only its picture."""
    if not reading.lines:
        return
    sizes = [_size(line, tight=reading.tight) for line in reading.lines]
    usual = statistics.median(sizes)
    found: list[Segment] = []
    for line, size in zip(reading.lines, sizes, strict=True):
        em = _step(size, usual)
        style = _style(page, round(em / sheet.scale, 1), reading.rotation)
        found += _segments(line, em, style, sheet, reading)
    if region.whole:
        page.segments = found
        page.garbled = 0.0
        least = _BACKGROUND * page.width * page.height
        page.images = [box for box in page.images if _area(box) < least]
        return
    page.segments += found
    letters = sum((segment.right - segment.left) * (segment.bottom - segment.top) for segment in found)
    if letters > _TEXT * _area(region.box):
        page.images = [box for box in page.images if box != region.box]


def _size(line: ReadLine, *, tight: bool) -> float:
    """Estimate the em of a line from its words' boxes and the shapes of their letters, in pixels."""
    return statistics.median(_em(word, tight=tight) for word in line.words)


def _step(size: float, usual: float) -> float:
    """Return the step of a scale from the page's usual size that a size is meant to be."""
    steps = math.log(size / usual, _STEP)
    return float(usual * _STEP ** math.copysign(math.floor(abs(steps) + _LEAST), steps))


def _em(word: ReadWord, *, tight: bool) -> float:
    up, down = _reach(word.text, tight=tight)
    return max(1.0, (word.bottom - word.top) / (up + down))


def _reach(text: str, *, tight: bool) -> tuple[float, float]:
    """Return how far the box of letters reaches above and below their baseline, in em."""
    if not tight:
        return _ASCENT, _DESCENT
    letters = set(text)
    return _ASCENT if letters & _TALL else _X_HEIGHT, _DESCENT if letters & _DEEP else 0.0


def _style(page: Page, size: float, rotation: int) -> int:
    # A picture that was turned clockwise to be upright has text that runs the other way round.
    style = Style(font="", size=size, direction=-rotation % 360)
    if style not in page.styles:
        page.styles.append(style)
    return page.styles.index(style)


def _segments(line: ReadLine, em: float, style: int, sheet: Sheet, reading: Reading) -> list[Segment]:
    base = statistics.median(word.bottom - _reach(word.text, tight=reading.tight)[1] * em for word in line.words)
    top, bottom = base - (_ASCENT + 0.06) * em, base + _DESCENT * em
    runs: list[list[Word]] = []
    end = float("-inf")
    for word in line.words:
        if word.left - end > _GAP * em:
            runs.append([])
        runs[-1].append(Word(word.text, *sheet.on_page((word.left, top, word.right, bottom), reading.rotation), style))
        end = word.right
    return [segment_of(run) for run in runs]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
