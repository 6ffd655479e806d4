"""Drawn pages, pixel by pixel where it counts."""

from pathlib import Path

import pytest
from docling_core.types.doc import DocItemLabel, DoclingDocument, Size
from PIL import Image

from docrefinery.engine.debugging import draw_pages
from docrefinery.engine.debugging.marks import Mark, marks_of
from docrefinery.engine.debugging.pages import _MARGIN, _SCALE
from tests.support import pdfs
from tests.support.documents import empty, place, with_everything

Pixel = tuple[int, int, int]


def drawn(document: DoclingDocument, folder: Path, content: bytes) -> dict[int, Image.Image]:
    source = folder / "a.pdf"
    source.write_bytes(content)
    return dict(draw_pages(document, source))


def at(image: Image.Image, x: float, y: float) -> Pixel:
    """Return the pixel at a point of the page."""
    pixel = image.getpixel((round(_MARGIN + x * _SCALE), round(y * _SCALE)))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return int(red), int(green), int(blue)


def blank(pages: int = 1) -> bytes:
    """Return empty pages: the one text that there is lies outside of them."""
    return pdfs.born_digital(pages, "").replace(b" 72 760 Td", b" 72 999 Td")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Image.Image]:
    return drawn(with_everything(), tmp_path_factory.mktemp("pages"), blank(2))


def test_every_page_is_a_picture_with_room_for_tags_and_legend(pages: dict[int, Image.Image]) -> None:
    assert sorted(pages) == [1, 2]
    for image in pages.values():
        assert image.width == 612 * _SCALE + 2 * _MARGIN
        assert 40 < image.height - 792 * _SCALE < 120


def solid(marks: list[Mark]) -> list[Mark]:
    return [mark for mark in marks if not mark.kind.dashed]


def test_a_box_in_the_labels_colour_is_around_each_item(pages: dict[int, Image.Image]) -> None:
    for number, marks in marks_of(with_everything()).items():
        for mark in solid(marks):
            left, top, right, bottom = mark.box
            for y in (top + 0.4, bottom - 0.4):
                assert at(pages[number], (left + right) / 2, y) == mark.kind.colour, mark
            assert at(pages[number], right - 0.4, (top + bottom) / 2) == mark.kind.colour, mark
            assert at(pages[number], right + 4, bottom + 4) == (255, 255, 255), mark


def test_the_box_of_furniture_has_gaps(pages: dict[int, Image.Image]) -> None:
    (header,) = [mark for mark in marks_of(with_everything())[1] if mark.tag == "header"]
    left, top, right, _ = header.box
    line = {at(pages[1], left + step, top) for step in range(1, int(right - left) - 1)}
    assert line == {header.kind.colour, (255, 255, 255)}


def test_header_cells_are_darker_than_other_cells(pages: dict[int, Image.Image]) -> None:
    header, other = at(pages[1], 200, 225), at(pages[1], 200, 275)
    assert sum(header) < sum(other) == 3 * 255


def test_a_line_leads_from_one_item_to_the_next(tmp_path: Path) -> None:
    document = empty()
    for top in (100, 400):
        document.add_text(DocItemLabel.TEXT, "a", prov=place(200, top, 300, top + 20))
    (image,) = drawn(document, tmp_path, blank()).values()
    between = [at(image, x, 300) for x in range(190, 205)]
    assert len({pixel for pixel in between if sum(pixel) < 500}) == 1


def test_a_page_that_cannot_be_rendered_is_white(tmp_path: Path) -> None:
    pages = drawn(empty(3), tmp_path, pdfs.broken_page())
    assert sorted(pages) == [1, 2, 3]
    assert at(pages[1], 80, 30) == (255, 255, 255)


def test_a_giant_page_makes_no_giant_picture(tmp_path: Path) -> None:
    document = empty()
    document.pages[1].size = Size(width=14400, height=14400)
    (image,) = drawn(document, tmp_path, pdfs.giant_page()).values()
    assert image.width * image.height < 20_000_000


def test_two_drawings_of_one_document_are_the_same(pages: dict[int, Image.Image], tmp_path: Path) -> None:
    again = drawn(with_everything(), tmp_path, blank(2))
    assert [image.tobytes() for image in again.values()] == [image.tobytes() for image in pages.values()]
