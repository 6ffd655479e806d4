"""The strip below a page."""

from PIL import Image

from docrefinery.engine.debugging.legend import Caption, framed
from docrefinery.engine.debugging.marks import marks_of
from tests.support.documents import with_everything

CAPTION = Caption("report", 2, 9, 612, 792)


def test_the_caption_tells_page_size_and_items() -> None:
    marks = marks_of(with_everything())
    assert CAPTION.text(marks[2]) == "report, page 2 of 9, 612 by 792 points, items 7 to 8"
    assert CAPTION.text([]).endswith("no items")


def test_the_legend_shows_the_colours_of_the_page_and_wraps_in_a_narrow_picture() -> None:
    marks = marks_of(with_everything())[1]
    wide, narrow = (framed(Image.new("RGB", (width, 10)), marks, CAPTION) for width in (2000, 300))
    assert narrow.height > wide.height
    for image in (wide, narrow):
        colours = {colour for _, colour in image.getcolors(1 << 16) or []}
        assert {mark.kind.colour for mark in marks} <= colours
