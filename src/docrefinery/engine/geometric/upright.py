"""Pages whose text runs sideways or stands on its head, as if they had been put upright."""

from collections import Counter

import msgspec

from docrefinery.engine.geometric.model import Box, Page, Segment
from docrefinery.engine.geometric.reading.words import segment_of
from docrefinery.engine.geometric.tables.turning import turned

_MOST = 0.7


def turn_of(page: Page) -> int:
    """Return in which direction most of a page's letters run, clockwise from rightwards: 0, 90, 180 or 270."""
    letters: Counter[int] = Counter()
    for segment in page.segments:
        direction = page.styles[segment.words[0].style].direction
        letters[direction] += sum(len(word.text) for word in segment.words)
    return next((turn for turn in (90, 180, 270) if letters[turn] > _MOST * letters.total()), 0)


def upright(page: Page, turn: int) -> Page:
    """Return a page as it is when text that runs ``turn`` degrees clockwise is set upright."""
    if not turn:
        return page

    def place(box: Box) -> Box:
        return turned(box, page, turn)

    sideways = turn != 180
    return msgspec.structs.replace(
        page,
        width=page.height if sideways else page.width,
        height=page.width if sideways else page.height,
        styles=[
            msgspec.structs.replace(style, direction=(style.direction - turn) % 360 if style.direction >= 0 else -1)
            for style in page.styles
        ],
        segments=[_segment(segment, page, turn) for segment in page.segments],
        rules=[
            msgspec.structs.replace(
                rule,
                **_sides(place((rule.left, rule.top, rule.right, rule.bottom))),
                horizontal=rule.horizontal != sideways,
            )
            for rule in page.rules
        ],
        shapes=[
            msgspec.structs.replace(shape, **_sides(place((shape.left, shape.top, shape.right, shape.bottom))))
            for shape in page.shapes
        ],
        images=[place(box) for box in page.images],
        links=[
            msgspec.structs.replace(link, **_sides(place((link.left, link.top, link.right, link.bottom))))
            for link in page.links
        ],
    )


def _segment(segment: Segment, page: Page, turn: int) -> Segment:
    return segment_of(
        [
            msgspec.structs.replace(word, **_sides(turned((word.left, word.top, word.right, word.bottom), page, turn)))
            for word in segment.words
        ]
    )


def _sides(box: Box) -> dict[str, float]:
    return dict(zip(("left", "top", "right", "bottom"), box, strict=True))
