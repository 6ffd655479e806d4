"""The way from a PDF's own coordinates to the page as its reader sees it: cropped, rotated, counted from the top."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2 as pdfium


@dataclass(frozen=True, slots=True)
class Place:
    """Where the boxes of one page are.

    :param width: of the page as shown, in points.
    :param height: of the page as shown, in points.
    :param rotation: of the page, clockwise: 0, 90, 180 or 270.
    :param left: left edge of what is shown, in the PDF's coordinates.
    :param bottom: its lower edge.
    """

    width: float
    height: float
    rotation: int
    left: float
    bottom: float

    @classmethod
    def of(cls, page: pdfium.PdfPage) -> "Place":
        """Return that of a page."""
        left, bottom = page.get_bbox()[:2]
        width, height = page.get_size()
        return cls(width, height, page.get_rotation() % 360, left, bottom)

    def boxes(self, boxes: Any) -> Any:
        """Return boxes (n, 4: left, bottom, right, top) as the page shows them (n, 4: left, top, right, bottom)."""
        x0, x1 = boxes[:, 0] - self.left, boxes[:, 2] - self.left
        y0, y1 = boxes[:, 1] - self.bottom, boxes[:, 3] - self.bottom
        match self.rotation:
            case 90:
                sides = (y0, x0, y1, x1)
            case 180:
                sides = (self.width - x1, y0, self.width - x0, y1)
            case 270:
                sides = (self.width - y1, self.height - x1, self.width - y0, self.height - x0)
            case _:
                sides = (x0, self.height - y1, x1, self.height - y0)
        return np.column_stack(sides)
