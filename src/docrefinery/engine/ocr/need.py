"""Which parts of a page have to be read from its picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from docrefinery.engine.geometric.model import Box, Page, Segment

# A page number or a stamp over a scan is no reason not to read the scan.
_FEW_LETTERS = 16
_LARGE_BITMAP = 0.25
"""Share of the page from which a bitmap without text over it is read on a page that has text: below it is a figure."""
GARBLED = 0.3
"""Share of letters without a meaning from which a page's own text is not to be used."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a page, in points from its top left corner; a whole page's text takes the place of the file's own."""

    box: Box
    whole: bool


def regions(page: Page, *, has_objects: bool, full_page: bool) -> list[Region]:
    """Return what is to be read of a page.

    :param has_objects: whether anything at all is drawn on it.
    :param full_page: read it whatever text there is.
    """
    area = page.width * page.height
    if not has_objects or area <= 0:
        return []
    letters = sum(len(word.text) for segment in page.segments for word in segment.words)
    if full_page or letters < _FEW_LETTERS or page.garbled > GARBLED:
        return [Region((0.0, 0.0, page.width, page.height), whole=True)]
    return [
        Region(box, whole=False)
        for box in page.images
        if _area(box) >= _LARGE_BITMAP * area and _letters_within(page.segments, box) < _FEW_LETTERS
    ]


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _letters_within(segments: Sequence[Segment], box: Box) -> int:
    count = 0
    for segment in segments:
        x, y = (segment.left + segment.right) / 2, (segment.top + segment.bottom) / 2
        if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
            count += sum(len(word.text) for word in segment.words)
    return count
