"""Pages whose text runs sideways, stands on its head or runs leftwards, as if it ran from left to right."""

import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import msgspec

from docrefinery.engine.geometric.model import Box, Link, Page, Rule, Shape, Word
from docrefinery.engine.geometric.reading.words import segment_of
from docrefinery.engine.geometric.tables.turning import turned

_MOST = 0.7

Moved = TypeVar("Moved", Word, Rule, Shape, Link)


def runs_leftwards(page: Page) -> bool:
    """Return whether most of a page's words are of a script that runs leftwards."""
    words = [word.text for segment in page.segments for word in segment.words]
    leftwards = sum(unicodedata.bidirectional(word[0]) in ("R", "AL") for word in words if word)
    return leftwards > 0.5 * len(words)


def mirrored(page: Page) -> Page:
    """Return a page as a mirror shows it: then columns, indents and lists are where they are for other scripts."""

    def place(box: Box) -> Box:
        return page.width - box[2], box[1], page.width - box[0], box[3]

    return _placed(page, place, page)


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
    styles = [
        msgspec.structs.replace(style, direction=(style.direction - turn) % 360 if style.direction >= 0 else -1)
        for style in page.styles
    ]
    rules = [msgspec.structs.replace(rule, horizontal=rule.horizontal != sideways) for rule in page.rules]
    size = (page.height, page.width) if sideways else (page.width, page.height)
    return _placed(
        page, place, msgspec.structs.replace(page, width=size[0], height=size[1], styles=styles, rules=rules)
    )


def _placed(page: Page, place: Callable[[Box], Box], changed: Page) -> Page:
    """Return ``changed`` with everything on the page put elsewhere."""
    return msgspec.structs.replace(
        changed,
        segments=[segment_of([_moved(word, place) for word in segment.words]) for segment in page.segments],
        rules=[_moved(rule, place) for rule in changed.rules],
        shapes=[_moved(shape, place) for shape in page.shapes],
        images=[place(box) for box in page.images],
        links=[_moved(link, place) for link in page.links],
    )


def _moved(thing: Moved, place: Callable[[Box], Box]) -> Moved:
    left, top, right, bottom = place((thing.left, thing.top, thing.right, thing.bottom))
    return msgspec.structs.replace(thing, left=left, top=top, right=right, bottom=bottom)
