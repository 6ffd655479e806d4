"""Figures: bitmaps, and drawings made of many shapes, each with the labels inside of it."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from docrefinery.engine.geometric.layout.clusters import clusters
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.layout.parts import LABEL, Part, parts_of
from docrefinery.engine.geometric.model import Box, Page, Segment

_NEAR = 6.0
"""In points: parts of one figure are no farther apart."""
_PANEL_GAP = 18.0
"""In points: panels of one figure are no farther apart."""
_SMALLEST = 16.0
"""In points: what is smaller in one direction is an icon, a bullet or a rule."""
_DRAWING = 1_500.0
"""In square points: what is smaller and no bitmap is an ornament."""
_BACKGROUND = 0.8
_MOSTLY_TEXT = 0.35
_REACH = 1.8
"""In heights of a label: how far from the drawing its middle may be."""
_USUAL = 0.25
"""Share of a page's letters from which a font is the text's."""


class Figure(Struct, tag="figure"):
    """A picture.

    :param lines: text that is part of it, in reading order.
    :param bitmap: whether it is one image and nothing else.
    """

    left: float
    top: float
    right: float
    bottom: float
    lines: list[Line] = []
    bitmap: bool = False

    @property
    def box(self) -> Box:
        """Its place."""
        return self.left, self.top, self.right, self.bottom


def figures_of(page: Page, segments: Sequence[Segment], taken: Sequence[Box]) -> list[Figure]:
    """Return the figures of a page, without their labels.

    :param segments: the page's text outside of tables.
    :param taken: the boxes of tables.
    """
    parts = parts_of(page, segments, taken)
    found = []
    for members in clusters([part.box for part in parts], _NEAR):
        figure = _figure([parts[index] for index in members], page, segments)
        if figure is not None:
            found.append(figure)
    panels = [_with_titles(figure, page, segments) for figure in found]
    return _outermost([_with_titles(figure, page, segments) for figure in _panelled(panels, segments)])


def _panelled(figures: Sequence[Figure], segments: Sequence[Segment]) -> list[Figure]:
    """Return figures with the panels of each drawing as one: they are near, and no text runs between them."""
    whole = [figure for figure in figures if figure.bitmap]
    drawings = [figure for figure in figures if not figure.bitmap]
    for members in clusters([figure.box for figure in drawings], _PANEL_GAP):
        box = _around([drawings[index].box for index in members])
        between = [segment for segment in segments if _holds(box, segment)]
        if any(sum(len(word.text) for word in segment.words) > LABEL for segment in between):
            whole += [drawings[index] for index in members]
        else:
            whole.append(Figure(*box))
    return whole


def _with_titles(figure: Figure, page: Page, segments: Sequence[Segment]) -> Figure:
    """Return a figure with the labels around it that are set in the font of those inside, which is not the text's."""
    fonts = {page.styles[segment.words[0].style].font for segment in segments if _holds(figure.box, segment)}
    fonts -= _usual_fonts(page, [segment for segment in segments if not _holds(figure.box, segment)])
    if not fonts:
        return figure
    titles = [
        (segment.left, segment.top, segment.right, segment.bottom)
        for segment in segments
        if page.styles[segment.words[0].style].font in fonts and _beside(segment, figure.box)
    ]
    return Figure(*_around([figure.box, *titles]), bitmap=figure.bitmap)


def _beside(segment: Segment, box: Box) -> bool:
    reach = _REACH * (segment.bottom - segment.top)
    short = sum(len(word.text) for word in segment.words) <= LABEL
    x, y = (segment.left + segment.right) / 2, (segment.top + segment.bottom) / 2
    return short and box[0] - reach <= x <= box[2] + reach and box[1] - reach <= y <= box[3] + reach


def _usual_fonts(page: Page, segments: Sequence[Segment]) -> set[str]:
    letters: Counter[str] = Counter()
    for segment in segments:
        for word in segment.words:
            letters[page.styles[word.style].font] += len(word.text)
    return {font for font, count in letters.items() if count > _USUAL * letters.total()}


def _figure(parts: Sequence[Part], page: Page, segments: Sequence[Segment]) -> Figure | None:
    drawn, images = sum(part.drawn for part in parts), sum(part.images for part in parts)
    rects = sum(part.rects for part in parts)
    if not images and drawn < 2 and rects < 4:
        return None
    box = _around([part.box for part in parts])
    width, height = box[2] - box[0], box[3] - box[1]
    if min(width, height) < _SMALLEST or (not images and width * height < _DRAWING):
        return None
    inside = [segment for segment in segments if _holds(box, segment)]
    text = sum((segment.right - segment.left) * (segment.bottom - segment.top) for segment in inside)
    if inside and (text > _MOSTLY_TEXT * width * height or width * height > _BACKGROUND * page.width * page.height):
        return None
    return Figure(*box, bitmap=images == len(parts) == 1)


def _outermost(figures: Sequence[Figure]) -> list[Figure]:
    """Return figures without those that are inside of larger ones."""
    kept: list[Figure] = []
    for figure in sorted(figures, key=lambda figure: -_area(figure.box)):
        if not any(_inside(figure.box, other.box) for other in kept):
            kept.append(figure)
    return kept


def _holds(box: Box, segment: Segment) -> bool:
    x, y = (segment.left + segment.right) / 2, (segment.top + segment.bottom) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _inside(inner: Box, outer: Box) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _around(boxes: Sequence[Box]) -> Box:
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
