"""What is read of a page: words with their fonts, rules, shapes, images and links, ready to be sent elsewhere.

All places are in points from the top left corner of the page as its reader sees it: cropped and rotated.
"""

from msgspec import Struct

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Style(Struct, frozen=True):
    """How text is drawn.

    :param font: the font's name, without the prefix of a subset.
    :param size: of the em, in points as drawn.
    :param colour: ``0xRRGGBB``.
    :param direction: where the text runs, clockwise from rightwards: 0, 90, 180, 270, or -1 if askew.
    :param hidden: not painted, as the text layer of a scan.
    """

    font: str
    size: float
    bold: bool = False
    italic: bool = False
    mono: bool = False
    colour: int = 0
    direction: int = 0
    hidden: bool = False


class Tag(Struct, frozen=True):
    """What a tagged PDF says of some marked content.

    :param role: type of the block it is part of, as the standard names them (``P``, ``H1``, ``LI``, ``Caption``);
        ``Div`` if the structure has it in no block, ``Artifact`` if it is said to be none of the document's content.
    :param element: number of that block on its page, in the order of the structure; -1 if there is none.
    """

    role: str
    element: int = -1


class Entry(Struct, frozen=True):
    """An entry of the outline (the bookmarks).

    :param depth: from 0.
    :param page: number of the page it leads to, from 1.
    """

    title: str
    depth: int
    page: int


class Word(Struct):
    """Letters of one style without a space between them.

    :param style: index into the page's styles.
    :param glued: no space before it: the style changes within a word.
    :param tag: the marked content it belongs to, -1 if it has none, -2 if that is an artifact.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    style: int
    glued: bool = False
    tag: int = -1


class Segment(Struct):
    """Words that follow each other on one line, without a gap as wide as between columns."""

    words: list[Word]
    left: float
    top: float
    right: float
    bottom: float


class Rule(Struct, frozen=True):
    """A straight line, or a rectangle as thin as one; horizontal or vertical.

    :param light: so pale that it hardly shows on white.
    """

    left: float
    top: float
    right: float
    bottom: float
    horizontal: bool
    light: bool = False


class Shape(Struct, frozen=True):
    """Anything else that is drawn, as its bounding box.

    :param fill: ``0xRRGGBB`` of a filled rectangle, else -1.
    :param frame: a rectangle with rounded corners.
    """

    left: float
    top: float
    right: float
    bottom: float
    fill: int = -1
    frame: bool = False


class Link(Struct, frozen=True):
    """A link to somewhere outside of the document."""

    left: float
    top: float
    right: float
    bottom: float
    uri: str


class Page(Struct):
    """One page.

    :param number: counted from 1.
    :param segments: in the order of the file.
    :param images: where it has bitmaps.
    :param tags: what a tagged PDF says of marked content, by its id; empty if the PDF is not tagged.
    :param garbled: share (0 to 1) of its letters whose font does not say what they mean.
    :param plain: why less was read than is there, ``""`` if all was.
    """

    number: int
    width: float
    height: float
    styles: list[Style] = []
    segments: list[Segment] = []
    rules: list[Rule] = []
    shapes: list[Shape] = []
    images: list[Box] = []
    links: list[Link] = []
    tags: dict[int, Tag] = {}
    garbled: float = 0.0
    plain: str = ""
