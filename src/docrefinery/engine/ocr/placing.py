"""What was read of a page's picture, as what a page has: words with their styles, on lines."""

import statistics

from docrefinery.engine.geometric.model import Box, Page, Segment, Style, Word
from docrefinery.engine.geometric.reading.words import segment_of
from docrefinery.engine.ocr.base import Reading, ReadLine
from docrefinery.engine.ocr.need import Region
from docrefinery.engine.ocr.sheet import Sheet

_TALL = frozenset(
    "bdfhijklt0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ()[]{}/|!?\u00c4\u00d6\u00dc\u00e4\u00f6\u00fc\u00df\u00e9\u00e8"
)
_DEEP = frozenset("gjpqy()[]{}/|,;Q")
_ASCENT, _X_HEIGHT, _DESCENT = 0.72, 0.48, 0.21
"""In em, of common text faces: how far letters reach above the baseline and below."""
_ALIKE = 0.2
"""Sizes that differ less from the page's usual one are that one: a box of letters is no exact measure."""
_GAP = 1.5
_BACKGROUND = 0.75
"""Share of the page from which a bitmap under recognised text is the scan itself and no figure."""
_TEXT = 0.08
"""Share of a bitmap from which text that was read in it makes it a scan of text, and no figure with a label."""


def place(page: Page, region: Region, sheet: Sheet, reading: Reading) -> None:
    """Put what was read in a region into the page, and take away the bitmaps that were only its picture."""
    if not reading.lines:
        return
    sizes = [_size(line) for line in reading.lines]
    usual = statistics.median(sizes)
    found: list[Segment] = []
    for line, size in zip(reading.lines, sizes, strict=True):
        em = usual if abs(size - usual) < _ALIKE * usual else size
        style = _style(page, round(em / sheet.scale, 1), reading.rotation)
        found += _segments(line, em, style, sheet, reading.rotation)
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


def _size(line: ReadLine) -> float:
    """Estimate the em of a line from its box and the shapes of its letters, in pixels."""
    letters = set(line.text)
    up = _ASCENT if letters & _TALL else _X_HEIGHT
    down = _DESCENT if letters & _DEEP else 0.0
    return max(1.0, line.height / (up + down))


def _style(page: Page, size: float, rotation: int) -> int:
    # A picture that was turned clockwise to be upright has text that runs the other way round.
    style = Style(font="", size=size, direction=-rotation % 360)
    if style not in page.styles:
        page.styles.append(style)
    return page.styles.index(style)


def _segments(line: ReadLine, em: float, style: int, sheet: Sheet, rotation: int) -> list[Segment]:
    deep = bool(set(line.text) & _DEEP)
    base = line.bottom - (min(_DESCENT * em, 0.4 * line.height) if deep else 0.0)
    top, bottom = base - (_ASCENT + 0.06) * em, base + _DESCENT * em
    runs: list[list[Word]] = []
    end = float("-inf")
    for word in line.words:
        if word.left - end > _GAP * em:
            runs.append([])
        runs[-1].append(Word(word.text, *sheet.on_page((word.left, top, word.right, bottom), rotation), style))
        end = word.right
    return [segment_of(run) for run in runs]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
