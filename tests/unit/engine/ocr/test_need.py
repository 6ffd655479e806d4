"""Which parts of a page are read from its picture."""

import pytest
from docling_core.types.doc import BoundingBox, Size

from docrefinery.engine.backend import cell_of
from docrefinery.engine.lines import Line
from docrefinery.engine.ocr.need import regions

PAGE = Size(width=600, height=800)
WHOLE = BoundingBox(l=0, t=0, r=600, b=800)
HALF = BoundingBox(l=0, t=400, r=600, b=800)
FIGURE = BoundingBox(l=100, t=100, r=300, b=300)
TEXT = Line("A paragraph of some length, in the upper half.", 50, 100, 500, 120)
BELOW = Line("And another one, which stands over the bitmap.", 50, 500, 500, 520)
STAMP = Line("Page 7", 280, 780, 320, 790)
GARBLED = Line("".join(map(chr, range(0xE000, 0xE020))) + "\ufffd and", 50, 100, 500, 120)


@pytest.mark.parametrize(
    ("lines", "bitmaps", "wanted"),
    [
        ([TEXT], [], []),
        ([TEXT], [FIGURE], []),
        ([TEXT], [HALF], [(HALF, False)]),
        ([TEXT, BELOW], [HALF], []),
        ([TEXT, BELOW], [WHOLE], []),
        ([TEXT, STAMP], [HALF], [(HALF, False)]),
        ([STAMP], [WHOLE], [(WHOLE, True)]),
        ([], [WHOLE], [(WHOLE, True)]),
        ([], [], [(WHOLE, True)]),
        ([GARBLED], [], [(WHOLE, True)]),
        ([TEXT], [BoundingBox(l=-500, t=-900, r=-1, b=-1)], []),
        ([TEXT], [BoundingBox(l=-100, t=400, r=9000, b=9000)], [(HALF, False)]),
    ],
)
def test_what_is_read(lines: list[Line], bitmaps: list[BoundingBox], wanted: list[tuple[BoundingBox, bool]]) -> None:
    cells = [cell_of(index, line) for index, line in enumerate(lines)]
    found = regions(PAGE, cells, bitmaps, has_objects=True, full_page=False)
    assert [(region.box, region.whole) for region in found] == wanted


def test_a_page_with_nothing_on_it_is_not_read_even_if_every_page_shall_be() -> None:
    assert regions(PAGE, [], [], has_objects=False, full_page=True) == []
    assert regions(Size(width=0, height=0), [], [], has_objects=True, full_page=True) == []
    [region] = regions(PAGE, [cell_of(0, TEXT)], [], has_objects=True, full_page=True)
    assert region.whole
