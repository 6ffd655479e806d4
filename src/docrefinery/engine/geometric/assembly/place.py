"""The way from a layout's places to those of the page, and to Docling's."""

from dataclasses import dataclass

from docling_core.types.doc import BoundingBox, CoordOrigin

from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.tables.turning import turned_back


@dataclass(frozen=True, slots=True)
class Place:
    """A page as its reader sees it: its size in points, and how it was turned and mirrored for its layout."""

    width: float
    height: float
    turn: int
    mirrored: bool = False

    @classmethod
    def of(cls, layout: Layout) -> "Place":
        """Return that of a layout."""
        if layout.turn in (90, 270):
            return cls(layout.height, layout.width, layout.turn, layout.mirrored)
        return cls(layout.width, layout.height, layout.turn, layout.mirrored)

    def on_page(self, box: Box) -> Box:
        """Return a box of the layout where it is on the page, from its top left corner."""
        if self.mirrored:
            width = self.height if self.turn in (90, 270) else self.width
            box = width - box[2], box[1], width - box[0], box[3]
        return turned_back(box, self, self.turn)

    def bounding_box(self, box: Box) -> BoundingBox:
        """Return a box of the layout in Docling's terms: from the page's lower left corner."""
        left, top, right, bottom = self.on_page(box)
        width, height = self.width, self.height
        if not (0.0 <= left <= width and 0.0 <= right <= width and 0.0 <= top <= height and 0.0 <= bottom <= height):
            left, right = _within(left, width), _within(right, width)
            top, bottom = _within(top, height), _within(bottom, height)
        return BoundingBox(l=left, t=height - top, r=right, b=height - bottom, coord_origin=CoordOrigin.BOTTOMLEFT)


def _within(value: float, most: float) -> float:
    """Return a coordinate of what shows: letters may hang over the edge of a page."""
    return min(max(value, 0.0), most)
