"""What a document is put together from."""

from dataclasses import dataclass, field
from typing import Literal

from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.tables.model import Table

Label = Literal[
    "text",
    "title",
    "section_header",
    "list_item",
    "caption",
    "caption_of",
    "footnote",
    "code",
    "table",
    "picture",
    "page_header",
    "page_footer",
    "imprint",
    "logo",
]
"""Docling's labels, and what has none there: a caption that belongs to a figure or table, an imprint, a logo."""


@dataclass(slots=True)
class Block:
    """Lines that belong together: a paragraph, a heading, an item of a list.

    :param page: number of the page of its first line.
    :param column: left and right edge of the column that it is in.
    :param label: what it is.
    :param level: of a heading, from 1; of a list's item, from 0.
    :param marker: of a list's item.
    :param space: white space above it, in points.
    :param role: what a tagged PDF says it is, ``""`` if it says nothing that can be relied on.
    :param element: number of that on its page, -1 if there is none.
    :param told: level of the heading that the file itself says it is, 0 if it says that it is none, else -1.
    :param content: what it is if it is no text.
    :param caption: what stands below or above that and names it.
    :param places: page and box of each of its parts, filled when parts are joined.
    """

    page: int
    lines: list[Line]
    column: tuple[float, float]
    label: Label = "text"
    level: int = 0
    marker: str = ""
    space: float = 0.0
    role: str = ""
    element: int = -1
    told: int = -1
    places: list[tuple[int, Box]] = field(default_factory=list)
    content: Figure | Table | None = None
    caption: "Block | None" = None

    @property
    def box(self) -> Box:
        """Where it is."""
        if self.content is not None:
            return self.content.left, self.content.top, self.content.right, self.content.bottom
        return (
            min(line.left for line in self.lines),
            min(line.top for line in self.lines),
            max(line.right for line in self.lines),
            max(line.bottom for line in self.lines),
        )

    @property
    def first(self) -> Line:
        """Its first line."""
        return self.lines[0]

    @property
    def last(self) -> Line:
        """Its last line."""
        return self.lines[-1]

    @property
    def letters(self) -> int:
        """How many letters it has."""
        return sum(len(line.text) for line in self.lines)
