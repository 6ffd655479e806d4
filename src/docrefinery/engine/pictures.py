"""The pictures of a page: where they are, and their images cut out of the rendered page."""

import math

from docling.backend.pdf_backend import PdfPageBackend
from docling_core.types.doc import BoundingBox, ImageRef
from docling_core.types.doc.page import BitmapResource, BoundingRectangle

# Rules, dots and the strips that some programs cut pictures into are no figures.
_SMALLEST_PICTURE = 16
_MOST_PIXELS = 40_000_000


def pictures_of(page: PdfPageBackend, *, images_scale: float | None) -> list[BitmapResource]:
    """Return a page's bitmaps, with their images if ``images_scale`` (pixels a point) is given."""
    boxes = [box for box in page.get_bitmap_rects() if min(box.width, box.height) >= _SMALLEST_PICTURE]
    images = _images(page, boxes, images_scale) if images_scale and boxes else [None] * len(boxes)
    return [
        BitmapResource(index=index, rect=BoundingRectangle.from_bounding_box(box), image=image)
        for index, (box, image) in enumerate(zip(boxes, images, strict=True))
    ]


def _images(page: PdfPageBackend, boxes: list[BoundingBox], images_scale: float) -> list[ImageRef | None]:
    size = page.get_size()
    scale = min(images_scale, math.sqrt(_MOST_PIXELS / (size.width * size.height)))
    sheet = page.get_page_image(scale=scale)
    images: list[ImageRef | None] = []
    for box in boxes:
        crop = box.scaled(scale).as_tuple()
        left, top = max(0, int(crop[0])), max(0, int(crop[1]))
        right, bottom = min(sheet.width, int(crop[2])), min(sheet.height, int(crop[3]))
        image = sheet.crop((left, top, max(left + 1, right), max(top + 1, bottom)))
        images.append(ImageRef.from_pil(image, dpi=round(72 * scale)))
    return images
