"""Pictures of pages, and the way back."""

import pypdfium2 as pdfium
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from docrefinery.engine.ocr.base import turned
from docrefinery.engine.ocr.sheet import Sheet, render
from tests.support import pdfs


@given(
    st.sampled_from([0, 90, 180, 270]), st.integers(0, 39), st.integers(0, 19), st.integers(1, 10), st.integers(1, 10)
)
def test_a_box_of_the_upright_picture_comes_back_to_where_it_is_on_the_page(
    rotation: int, left: int, top: int, width: int, height: int
) -> None:
    image = Image.new("L", (50, 30), 255)
    box = (left, top, min(left + width, 50), min(top + height, 30))
    image.paste(0, box)
    upright = turned(image, rotation)
    found = upright.point(lambda value: 255 - value).getbbox()
    assert found is not None
    sheet = Sheet(image, scale=2.0, left=7.0, top=9.0)
    assert sheet.on_page(found, rotation) == (7 + box[0] / 2, 9 + box[1] / 2, 7 + box[2] / 2, 9 + box[3] / 2)


def test_a_part_knows_its_place() -> None:
    whole = Sheet(Image.new("L", (400, 400)), 2.0, 0, 0)
    part = whole.cut((50.25, 100, 150, 900))
    assert (part.left, part.top) == (50, 100)
    assert part.image.size == (200, 200)


@pytest.mark.parametrize(("side", "most"), [(14_400.0, 25_000_000), (200.0, 25_000_000)])
def test_a_giant_page_gets_fewer_pixels_a_point(side: float, most: int) -> None:
    with pdfium.PdfDocument.new() as document:
        page = document.new_page(side, side)
        sheet = render(page)
    assert sheet.image.width * sheet.image.height <= most * 1.01
    assert sheet.empty
    assert (sheet.dpi == 200) is (side < 1000)


def test_what_is_of_one_colour_or_too_small_is_empty() -> None:
    with pdfium.PdfDocument(pdfs.born_digital()) as document:
        assert not render(document[0]).empty
    assert Sheet(Image.new("L", (100, 8), 0), 1, 0, 0).empty
    assert Sheet(Image.new("L", (100, 100), 77), 1, 0, 0).empty
