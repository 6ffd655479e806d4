"""Which parts of a page have to be read from its picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from docling_core.types.doc import BoundingBox, Size
from docling_core.types.doc.page import TextCell

# A page number or a stamp over a scan is no reason not to read the scan.
_FEW_LETTERS = 16
_LARGE_BITMAP = 0.25
"""Share of the page from which a bitmap without text over it is read on a page that has text: below it is a figure."""
_GARBLED = 0.3


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a page, in points from its top left corner; a whole page's text takes the place of the file's own."""

    box: BoundingBox
    whole: bool


def regions(
    size: Size, cells: Sequence[TextCell], bitmaps: Sequence[BoundingBox], *, has_objects: bool, full_page: bool
) -> list[Region]:
    """Return what is to be read of a page.

    :param cells: the text that the file has for the page.
    :param bitmaps: where the page has bitmaps.
    :param has_objects: whether anything at all is drawn on it.
    :param full_page: read it whatever text there is.
    """
    page = BoundingBox(l=0, t=0, r=size.width, b=size.height)
    if not has_objects or page.area() <= 0:
        return []
    texts = [cell.text for cell in cells]
    if full_page or sum(map(len, texts)) < _FEW_LETTERS or _garbled(texts):
        return [Region(page, whole=True)]
    inside = [box for box in (_clipped(bitmap, page) for bitmap in bitmaps) if box is not None]
    return [
        Region(box, whole=False)
        for box in inside
        if box.area() >= _LARGE_BITMAP * page.area() and _letters_within(cells, box) < _FEW_LETTERS
    ]


def _garbled(texts: Sequence[str]) -> bool:
    """Whether the fonts do not say what their glyphs mean: private use and replacement characters for letters."""
    letters = [letter for text in texts for letter in text if not letter.isspace()]
    odd = sum(letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff" for letter in letters)
    return odd > _GARBLED * len(letters)


def _clipped(box: BoundingBox, page: BoundingBox) -> BoundingBox | None:
    left, top, right, bottom = max(box.l, page.l), max(box.t, page.t), min(box.r, page.r), min(box.b, page.b)
    return BoundingBox(l=left, t=top, r=right, b=bottom) if left < right and top < bottom else None


def _letters_within(cells: Sequence[TextCell], box: BoundingBox) -> int:
    count = 0
    for cell in cells:
        place = cell.rect.to_bounding_box()
        x, y = (place.l + place.r) / 2, (place.t + place.b) / 2
        count += len(cell.text) if box.l <= x <= box.r and box.t <= y <= box.b else 0
    return count
