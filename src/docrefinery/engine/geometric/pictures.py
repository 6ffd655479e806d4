"""The images of pictures, cut out of the rendered page."""

import math

import pypdfium2 as pdfium
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import ImageRef
from PIL import Image

from docrefinery.engine.geometric.model import Box
from docrefinery.engine.sizes import fitting_scale

PICTURE_PIXELS = 40_000_000
"""Pixels of a page that pictures are cut out of."""


class Cutter:
    """Cuts pictures out of a document's pages, page after page.

    :param scale: pixels a point; giant pages get fewer.
    """

    def __init__(self, document: pdfium.PdfDocument, scale: float) -> None:
        self._document = document
        self._scale = scale
        # Pictures come in the order of pages, so that one page in memory is enough.
        self._sheet: tuple[int, float, Image.Image] | None = None

    def cut(self, page: int, box: Box) -> ImageRef:
        """Return what a page shows in a box.

        :param page: its number, counted from 1.
        :param box: in points from its top left corner.
        """
        scale, sheet = self._rendered(page)
        left, top = max(0, int(box[0] * scale)), max(0, int(box[1] * scale))
        right, bottom = min(sheet.width, math.ceil(box[2] * scale)), min(sheet.height, math.ceil(box[3] * scale))
        image = sheet.crop((left, top, max(left + 1, right), max(top + 1, bottom)))
        return ImageRef.from_pil(image, dpi=round(72 * scale))

    def _rendered(self, number: int) -> tuple[float, Image.Image]:
        if self._sheet is None or self._sheet[0] != number:
            with pypdfium2_lock:
                page = self._document[number - 1]
                width, height = page.get_size()
                scale = fitting_scale(self._scale, width, height, PICTURE_PIXELS)
                try:
                    # A copy: the bitmap's own memory goes with the page.
                    self._sheet = number, scale, page.render(scale=scale).to_pil().copy()
                finally:
                    page.close()
        return self._sheet[1:]
