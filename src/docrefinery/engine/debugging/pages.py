"""Pages as pictures, with the marks of a document over them."""

import math
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import DoclingDocument
from PIL import Image

from docrefinery.engine.debugging.legend import Caption, framed
from docrefinery.engine.debugging.marks import Mark, marks_of
from docrefinery.engine.debugging.overlay import draw_marks
from docrefinery.engine.sizes import fitting_scale

_SCALE = 1.5
_MOST_PIXELS = 16_000_000
# Room for the tags of what begins at the edge of the page.
_MARGIN = 56
# Small pages are made wide enough for the legend to be read.
_NARROWEST = 560


def draw_pages(document: DoclingDocument, source: Path) -> Iterator[tuple[int, Image.Image]]:
    """Yield the number and the picture of each page of a document that was made of a PDF.

    Boxes show where its items are, coloured by label, with a tag that has an item's number in reading order; a line
    leads from each item of the body to the next. Below them is a legend.

    :param source: the PDF.
    :raises pypdfium2.PdfiumError: if the file cannot be opened.
    """
    marks = marks_of(document)
    with pypdfium2_lock:
        file = pdfium.PdfDocument(source)
        count = len(file)
    try:
        for number, on_page in marks.items():
            size = document.pages[number].size
            caption = Caption(document.name, number, count, size.width, size.height)
            page = _rendered(file, number, size.width, size.height)
            yield number, _drawn(page, on_page, caption)
    finally:
        with pypdfium2_lock:
            file.close()


def _drawn(page: Image.Image, marks: list[Mark], caption: Caption) -> Image.Image:
    sheet = Image.new("RGB", (max(_NARROWEST, page.width + 2 * _MARGIN), page.height), (225, 225, 225))
    left = (sheet.width - page.width) // 2
    sheet.paste(page, (left, 0))
    draw_marks(sheet, marks, (page.width / caption.width, page.height / caption.height), left)
    return framed(sheet, marks, caption)


def _rendered(file: pdfium.PdfDocument, number: int, width: float, height: float) -> Image.Image:
    """Return a page as pdfium shows it, and white where it cannot."""
    scale = fitting_scale(_SCALE, width, height, _MOST_PIXELS)
    with pypdfium2_lock:
        try:
            page = file[number - 1]
        except pdfium.PdfiumError:
            return Image.new("RGB", (math.ceil(width * scale), math.ceil(height * scale)), (255, 255, 255))
        try:
            image: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
        finally:
            page.close()
    return image
