"""Which parts of a page are read from its picture."""

import pytest

from docrefinery.engine.geometric.model import Box, Page, Segment, Style, Word
from docrefinery.engine.geometric.reading.words import segment_of
from docrefinery.engine.ocr.need import regions

WHOLE = (0.0, 0.0, 600.0, 800.0)
HALF = (0.0, 400.0, 600.0, 800.0)
FIGURE = (100.0, 100.0, 300.0, 300.0)


def segment(text: str, left: float, top: float, right: float, bottom: float) -> Segment:
    return segment_of([Word(text, left, top, right, bottom, style=0)])


def page(segments: list[Segment], images: list[Box], garbled: float = 0.0) -> Page:
    return Page(1, 600, 800, [Style("Any", 12)], segments, images=images, garbled=garbled)


TEXT = segment("A paragraph of some length, in the upper half.", 50, 100, 500, 120)
BELOW = segment("And another one, which stands over the bitmap.", 50, 500, 500, 520)
STAMP = segment("Page 7", 280, 780, 320, 790)


@pytest.mark.parametrize(
    ("segments", "images", "garbled", "wanted"),
    [
        ([TEXT], [], 0, []),
        ([TEXT], [FIGURE], 0, []),
        ([TEXT], [HALF], 0, [(HALF, False)]),
        ([TEXT, BELOW], [HALF], 0, []),
        ([TEXT, BELOW], [WHOLE], 0, []),
        ([TEXT, STAMP], [HALF], 0, [(HALF, False)]),
        ([STAMP], [WHOLE], 0, [(WHOLE, True)]),
        ([], [WHOLE], 0, [(WHOLE, True)]),
        ([], [], 0, [(WHOLE, True)]),
        ([TEXT], [], 0.9, [(WHOLE, True)]),
        ([TEXT], [], 0.1, []),
    ],
)
def test_what_is_read(
    segments: list[Segment], images: list[Box], garbled: float, wanted: list[tuple[Box, bool]]
) -> None:
    found = regions(page(segments, images, garbled), has_objects=True, full_page=False)
    assert [(region.box, region.whole) for region in found] == wanted


def test_a_page_with_nothing_on_it_is_not_read_even_if_every_page_shall_be() -> None:
    assert regions(page([], []), has_objects=False, full_page=True) == []
    assert regions(Page(1, 0, 0), has_objects=True, full_page=True) == []
    [region] = regions(page([TEXT], []), has_objects=True, full_page=True)
    assert region.whole
