"""A page as the finding of tables sees it: turned so that its text runs rightwards."""

import re
from dataclasses import dataclass

from docrefinery.engine.geometric.model import Box, Page, Shape, Word
from docrefinery.engine.geometric.tables.strokes import Strokes, strokes_of
from docrefinery.engine.geometric.tables.turning import turned

# Less text than this sideways is an axis or a stamp.
_FEWEST_SIDEWAYS = 20
_FEWEST = 4
_MATH = re.compile(
    r"cmmi|cmsy|cmex|cmbsy|ms[ab]m|math|mtmi|mtsy|mtex|symbol|euclid|lmmi|lmsy|lmex|txmi|txsy|txex", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Ink:
    """A word and how it is drawn.

    :param middle: half way between its top and bottom.
    :param centre: half way between its left and right.
    :param size: of its em, in points.
    :param mono: whether all letters of its font are equally wide.
    :param math: whether its font is one of formulas.
    """

    word: Word
    left: float
    top: float
    right: float
    bottom: float
    middle: float
    centre: float
    size: float
    mono: bool
    math: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is printed in one direction on a page.

    :param inks: its words, in the order of the file.
    :param strays: words of the page that run in another direction.
    :param shapes: what is filled or curved on it.
    :param images: where it has bitmaps.
    :param turn: by how many degrees clockwise the text runs on the page: 0, 90, 180 or 270.
    """

    width: float
    inks: list[Ink]
    strays: list[Ink]
    strokes: Strokes
    shapes: list[Shape]
    images: list[Box]
    turn: int


def sheets(page: Page) -> list[Sheet]:
    """Return a page's sheets: the upright one first, then those of enough words."""
    by_turn: dict[int, list[Word]] = {0: [], 90: [], 180: [], 270: [], -1: []}
    for segment in page.segments:
        for word in segment.words:
            by_turn[page.styles[word.style].direction].append(word)
    turns = [turn for turn in (0, 90, 180, 270) if len(by_turn[turn]) >= (_FEWEST_SIDEWAYS if turn else _FEWEST)]
    return [_sheet(page, by_turn, turn) for turn in turns]


def _sheet(page: Page, by_turn: dict[int, list[Word]], turn: int) -> Sheet:
    drawn = [(max(style.size, 1.0), style.mono, bool(_MATH.search(style.font))) for style in page.styles]

    def ink(word: Word) -> Ink:
        left, top, right, bottom = turned((word.left, word.top, word.right, word.bottom), page, turn)
        return Ink(word, left, top, right, bottom, (top + bottom) / 2, (left + right) / 2, *drawn[word.style])

    shapes = [
        Shape(*turned((shape.left, shape.top, shape.right, shape.bottom), page, turn), fill=shape.fill)
        for shape in page.shapes
    ]
    return Sheet(
        width=page.height if turn in (90, 270) else page.width,
        inks=[ink(word) for word in by_turn[turn]],
        strays=[ink(word) for other, words in by_turn.items() if other != turn for word in words],
        strokes=strokes_of(page, turn),
        shapes=shapes,
        images=[turned(image, page, turn) for image in page.images],
        turn=turn,
    )
