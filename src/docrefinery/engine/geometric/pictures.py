"""The images of pictures, cut out of the rendered page."""

import base64
import io
import math
from collections.abc import Iterable, Iterator, Sequence

import pypdfium2 as pdfium
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import ImageRef, Size
from PIL import Image
from pydantic import AnyUrl

from docrefinery.engine.geometric.assembly.logos import repeated_at_edge
from docrefinery.engine.geometric.assembly.place import Place
from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.ranges import Cut
from docrefinery.engine.sizes import fitting_scale

PICTURE_PIXELS = 40_000_000
"""Pixels of a page that pictures are cut out of."""


class Cutter:
    """Cuts pictures out of a document's pages, page after page.

    :param scale: pixels a point; giant pages get fewer.
    :param cuts: pictures that were cut out elsewhere, and need not be again.
    """

    def __init__(self, document: pdfium.PdfDocument, scale: float, cuts: Iterable[Cut] = ()) -> None:
        self._document = document
        self._scale = scale
        self._cuts = {(cut.page, cut.box): cut for cut in cuts}
        # Pictures come in the order of pages, so that one page in memory is enough.
        self._sheet: tuple[int, float, Image.Image] | None = None

    def cut(self, page: int, box: Box) -> ImageRef:
        """Return what a page shows in a box.

        :param page: its number, counted from 1.
        :param box: in points from its top left corner.
        """
        if (cut := self._cuts.get((page, box))) is not None:
            with Image.open(io.BytesIO(cut.png)) as png:
                size = Size(width=png.width, height=png.height)
            uri = f"data:image/png;base64,{base64.b64encode(cut.png).decode()}"
            return ImageRef(mimetype="image/png", dpi=cut.dpi, size=size, uri=AnyUrl(uri))
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


def cut_ahead(cutter: Cutter, layouts: Sequence[Layout]) -> Iterator[Cut]:
    """Yield the images of pictures before it is known which of them are wanted.

    What is seen to be a logo is not: a logo on every page would have every page rendered.
    """
    figures = [
        (layout, each) for layout in layouts for column in layout.columns for each in column if isinstance(each, Figure)
    ]
    logos = set(repeated_at_edge([(layout.height, figure.box) for layout, figure in figures]))
    for index, (layout, figure) in enumerate(figures):
        if index not in logos:
            box = Place.of(layout).on_page(figure.box)
            image = cutter.cut(layout.number, box)
            _, content = str(image.uri).split(",", 1)
            yield Cut(layout.number, box, image.dpi, base64.b64decode(content))
