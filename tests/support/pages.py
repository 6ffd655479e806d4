"""Pages as pdfium would tell them, written from a readable description: no PDF and no pdfium is involved.

Every letter is half an em wide (0.6 in a fixed pitch), a space a quarter, and a line as high as its em::

    sheet = Sheet()
    column = sheet.column(left=72, top=72, width=468)
    column.put("1 Introduction", size=14, bold=True)
    column.put(prose(4))
    document = assembled(sheet)
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

from docling_core.types.doc import DocItem, DoclingDocument

from docrefinery.engine.geometric.assembly.assemble import assemble
from docrefinery.engine.geometric.model import Link, Page, Rule, Shape, Style, Word
from docrefinery.engine.geometric.page import layout_of
from docrefinery.engine.geometric.reading.words import segment_of

Align = Literal["left", "justified", "centred", "right"]

_TOLD = (
    "the river carried small boats past many villages where people grew wheat and kept bees under old trees while "
    "their children learned to count stones along a narrow path that led uphill from mills toward quiet fields of "
    "barley and one farmer measured rain each morning before he walked home with water for his garden"
)
_WORDS = _TOLD.split()
_LETTER, _SPACE, _PITCH = 0.5, 0.25, 0.6


def prose(sentences: int = 1, start: int = 0) -> str:
    """Return sentences of eleven plain words each; another ``start`` gives others."""
    told = []
    for sentence in range(sentences):
        words = [_WORDS[(7 * start + 11 * sentence + at) % len(_WORDS)] for at in range(11)]
        told.append(" ".join(words).capitalize() + ".")
    return " ".join(told)


class Sheet:
    """A page that is being written."""

    def __init__(self, number: int = 1, width: float = 612, height: float = 792) -> None:
        self.page = Page(number, width, height, styles=[], segments=[], rules=[], shapes=[], images=[], links=[])

    def text(
        self,
        text: str,
        left: float,
        top: float,
        width: float = 468,
        *,
        size: float = 10,
        leading: float | None = None,
        indent: float = 0,
        align: Align = "justified",
        **look: Any,
    ) -> float:
        """Write text and return where the next line would begin, in points from the top.

        :param text: broken into lines that fit; where it has line ends, it is broken there alone.
        :param leading: from one line to the next, 1.2 em by default.
        :param indent: of the first line.
        :param look: the rest of a :class:`Style`.
        """
        style = self._style(Style(**({"font": "Serif"} | look), size=size))
        step = leading or 1.2 * size
        lines = list(self._broken(text, width, indent, style))
        for number, line in enumerate(lines):
            begin = left + (0 if number else indent)
            room = width - (0 if number else indent)
            last = number == len(lines) - 1 or "\n" in text
            self._line(line, begin, top, room, style, "left" if align == "justified" and last else align)
            top += step
        return top

    def column(self, left: float, top: float, width: float, **look: Any) -> "Column":
        """Return a column to write into, with a look that its text has if nothing else is said."""
        return Column(self, left, top, width, look)

    def rule(self, left: float, top: float, right: float, bottom: float | None = None) -> None:
        """Draw a rule: a horizontal one if it has no ``bottom`` of its own."""
        horizontal = bottom is None or right - left >= bottom - top
        self.page.rules.append(Rule(left, top, right, top if bottom is None else bottom, horizontal))

    def shape(self, left: float, top: float, right: float, bottom: float, fill: int = -1) -> None:
        """Draw a curved outline, or fill a rectangle."""
        self.page.shapes.append(Shape(left, top, right, bottom, fill))

    def image(self, left: float, top: float, right: float, bottom: float) -> None:
        """Place a bitmap."""
        self.page.images.append((left, top, right, bottom))

    def link(self, left: float, top: float, right: float, bottom: float, uri: str) -> None:
        """Place a link over what is there."""
        self.page.links.append(Link(left, top, right, bottom, uri))

    def _style(self, style: Style) -> int:
        if style not in self.page.styles:
            self.page.styles.append(style)
        return self.page.styles.index(style)

    def _broken(self, text: str, width: float, indent: float, style: int) -> Iterator[str]:
        if "\n" in text:
            yield from text.split("\n")
            return
        line, room = "", width - indent
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self._width(longer, style) > room:
                yield line
                line, room = word, width
            else:
                line = longer
        yield line

    def _width(self, text: str, style: int) -> float:
        size, mono = self.page.styles[style].size, self.page.styles[style].mono
        return sum(size * (_PITCH if mono else _SPACE if letter == " " else _LETTER) for letter in text)

    def _line(self, line: str, left: float, top: float, room: float, style: int, align: Align) -> None:
        words = line.split()
        size = self.page.styles[style].size
        slack = room - self._width(line, style)
        left += {"centred": slack / 2, "right": slack}.get(align, 0)
        left += self._width(line[: len(line) - len(line.lstrip())], style)
        space = self._width(" ", style) + (slack / max(1, len(words) - 1) if align == "justified" else 0)
        made = []
        for word in words:
            right = left + self._width(word, style)
            made.append(Word(word, left, top, right, top + size, style))
            left = right + space
        if made:
            self.page.segments.append(segment_of(made))


class Column:
    """A column of a sheet that is written from top to bottom.

    :param look: of its text: ``size``, ``leading``, ``align`` and what a style has.
    """

    def __init__(self, sheet: Sheet, left: float, top: float, width: float, look: dict[str, Any]) -> None:
        self.sheet, self.left, self.top, self.width, self.look = sheet, left, top, width, look

    def put(self, text: str, *, space: float = 8, shift: float = 0, **look: Any) -> None:
        """Write a paragraph.

        :param space: left free below it, in points.
        :param shift: of all of its lines to the right.
        """
        look = self.look | look
        self.top = self.sheet.text(text, self.left + shift, self.top, self.width - shift, **look) + space

    def skip(self, height: float) -> None:
        """Leave some points free."""
        self.top += height


def glued(sheet: Sheet, word: str, *, rise: float = 0, **look: Any) -> None:
    """Set a word right after the last one of a sheet, in another style; ``rise`` lifts it by so many points."""
    last = sheet.page.segments.pop()
    before = last.words[-1]
    sheet.text(word, before.right, before.bottom - look["size"] - rise, align="left", **look)
    (added,) = sheet.page.segments.pop().words
    added.glued = True
    sheet.page.segments.append(segment_of([*last.words, added]))


def join_line(sheet: Sheet, count: int = 2) -> None:
    """Make one segment of a sheet's last ones, as words of several styles on one line are."""
    parts = sheet.page.segments[-count:]
    del sheet.page.segments[-count:]
    assert all(one.right <= other.left for one, other in pairwise(parts))
    sheet.page.segments.append(segment_of([word for part in parts for word in part.words]))


def assembled(*sheets: Sheet, tables: bool = True) -> DoclingDocument:
    """Return the document of sheets."""
    return assemble(layout_of(sheet.page, tables=tables) for sheet in sheets)


def items(document: DoclingDocument, label: str | None = None) -> list[str]:
    """Return the texts of a document's body in reading order, or those with one label."""
    return [
        getattr(item, "text", "")
        for item, _ in document.iterate_items()
        if isinstance(item, DocItem) and (label is None or item.label == label)
    ]


def labels(document: DoclingDocument) -> list[tuple[str, str]]:
    """Return label and text of each item of a document's body in reading order."""
    return [
        (str(item.label.value), getattr(item, "text", ""))
        for item, _ in document.iterate_items()
        if isinstance(item, DocItem)
    ]


def all_words(document: DoclingDocument) -> list[str]:
    """Return every word of a document: of its body, its furniture, its pictures and the cells of its tables."""
    texts = [item.text for item in document.texts]
    texts += [cell.text for table in document.tables for cell in table.data.table_cells]
    return [word for text in texts for word in text.split()]
