"""What may be part of a figure: bitmaps, shapes, rules, and text that is set as labels are."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from docrefinery.engine.geometric.layout.names import CAPTION
from docrefinery.engine.geometric.model import Box, Page, Segment, Shape

LABEL = 40
"""Letters of a label, at most."""
_BACKGROUND = 0.8
_PANEL = 3
"""Texts in a shape from which it is a panel behind them, and no drawing."""
_NODE = (160.0, 70.0)
"""Width and height of a box with a text in it, at most, to be one of a diagram; in points."""
_MOST = 3_000
_CELL = 16.0
"""In points: what is smaller is taken together by where it is, on a page that has more than the most parts."""
_WHITE = 0xFFFFFF


@dataclass(slots=True)
class Part:
    """A part, or many small ones at one place; how many drawings, bitmaps and plain rectangles it is."""

    box: Box
    drawn: int = 0
    images: int = 0
    rects: int = 0


def parts_of(page: Page, segments: Sequence[Segment], taken: Sequence[Box]) -> list[Part]:
    """Return the parts of a page outside of ``taken``; none if nothing is drawn there."""
    least = _BACKGROUND * page.width * page.height
    # Under text, an image of the whole page is paper.
    pictures = [image for image in page.images if not segments or _area(image) < least]
    parts = [Part(image, images=1) for image in pictures]
    parts += _drawn(page, segments)
    parts = [part for part in parts if not _within(part.box, taken)]
    if not parts:
        return []
    around = [Part((rule.left, rule.top, rule.right, rule.bottom)) for rule in page.rules if not rule.light]
    usual = _usual_size(page, segments)
    around += [
        Part((segment.left, segment.top, segment.right, segment.bottom))
        for segment in segments
        if _is_label(page, segment, usual)
    ]
    parts += [part for part in around if not _within(part.box, taken)]
    return parts if len(parts) <= _MOST else _together(parts)


def _drawn(page: Page, segments: Sequence[Segment]) -> Iterator[Part]:
    middles = sorted(((segment.top + segment.bottom) / 2, (segment.left + segment.right) / 2) for segment in segments)
    area = page.width * page.height
    for shape in page.shapes:
        width, height = shape.right - shape.left, shape.bottom - shape.top
        if shape.fill == _WHITE or width * height > _BACKGROUND * area:
            continue
        held = _held(shape, middles)
        box = (shape.left, shape.top, shape.right, shape.bottom)
        if shape.fill < 0 and not (shape.frame and held >= _PANEL):
            yield Part(box, drawn=1)
        elif shape.fill >= 0 and (not held or (held < _PANEL and width < _NODE[0] and height < _NODE[1])):
            yield Part(box, rects=1)


def _held(shape: Shape, middles: Sequence[tuple[float, float]]) -> int:
    """Count texts in a shape, up to those of a panel."""
    held = 0
    for y, x in middles[bisect_left(middles, (shape.top, 0.0)) :]:
        if y > shape.bottom or held >= _PANEL:
            break
        held += shape.left <= x <= shape.right
    return held


def _together(parts: Sequence[Part]) -> list[Part]:
    """Return large parts as they are, and small ones as one for each place."""
    places: dict[tuple[int, int], Part] = {}
    large = []
    for part in parts:
        left, top, right, bottom = part.box
        if max(right - left, bottom - top) > _CELL:
            large.append(part)
            continue
        place = round((left + right) / 2 / _CELL), round((top + bottom) / 2 / _CELL)
        found = places.setdefault(place, Part(part.box))
        found.box = (
            min(found.box[0], left),
            min(found.box[1], top),
            max(found.box[2], right),
            max(found.box[3], bottom),
        )
        found.drawn += part.drawn
        found.images += part.images
        found.rects += part.rects
    return [*places.values(), *large[:_MOST]]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _within(box: Box, taken: Sequence[Box]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in taken)


def _usual_size(page: Page, segments: Sequence[Segment]) -> float:
    sizes: Counter[float] = Counter()
    for segment in segments:
        sizes[page.styles[segment.words[0].style].size] += len(segment.words)
    return max(sizes, key=lambda size: (sizes[size], size)) if sizes else 0.0


def _is_label(page: Page, segment: Segment, usual: float) -> bool:
    style = page.styles[segment.words[0].style]
    short = sum(len(word.text) for word in segment.words) <= LABEL
    if CAPTION.match(" ".join(word.text for word in segment.words)):
        return False
    return short and (style.direction != 0 or style.size < 0.95 * usual)
