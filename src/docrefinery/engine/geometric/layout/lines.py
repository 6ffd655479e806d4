"""Lines of a page."""

from msgspec import Struct

from docrefinery.engine.geometric.model import Box

_APART = 2.5
"""In em: wider than between words of a justified line."""


class Reference(Struct, frozen=True):
    """A part of a line's text that is a link."""

    start: int
    end: int
    uri: str


class Line(Struct, tag="line"):
    """A line of one column.

    :param base: lower edge of the letters of its main style, in points: marks above and below do not move it.
    :param style: index of the style of most of its letters.
    :param size: of that style, in points.
    :param bold: whether most letters are; the same for ``italic`` and ``mono``.
    :param first: width of its first word, in points.
    :param raised: letters at its start that stand above the others, as the mark of a footnote does.
    :param marks: how many words have raised letters after them.
    :param role: what a tagged PDF says most of it is part of: a :class:`~docrefinery.engine.geometric.model.Tag`'s.
    :param element: number of that on the page, -1 if there is none.
    :param region: number of the column on the page.
    :param parts: where its parts begin, if there are wide gaps between some.
    :param gap: the widest of those, in em.
    :param small_start: whether the first of them is set smaller than the others.
    :param single: whether it is a paragraph of its own, as the row of a table or an entry of contents is.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    style: int
    size: float
    bold: bool = False
    italic: bool = False
    mono: bool = False
    first: float = 0.0
    raised: str = ""
    marks: int = 0
    role: str = ""
    element: int = -1
    region: int = 0
    references: list[Reference] = []
    parts: list[float] = []
    gap: float = 0.0
    small_start: bool = False
    single: bool = False

    @property
    def is_row(self) -> bool:
        """Whether its parts stand apart as the cells of a row do, or a name and its value."""
        return self.gap > _APART or (len(self.parts) > 2 and self.text[-1:].isdigit())

    @property
    def box(self) -> Box:
        """Its place."""
        return self.left, self.top, self.right, self.bottom

    @property
    def height(self) -> float:
        """Its height in points."""
        return self.bottom - self.top
