"""Page headers and footers: what stands at the same place of several pages, outside of the text.

The features are those of X. Lin: Header and footer extraction by page-association, SPIE 5010, 2003: text that is alike
up to its numbers, at the same height, on neighbouring pages.
"""

import re
import statistics
from collections.abc import Callable, Sequence, Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar

from docrefinery.engine.geometric.assembly.edges import (
    alike,
    behind_rule,
    detached,
    edge,
    place,
    places,
    repeated,
    text_edges,
)
from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.layout.layout import Element, Layout
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.layout.names import CAPTION

_BEHIND_RULE = 2
_FEWEST_LINES = 4
"""Of a page, at the median: on pages with less, a line at the edge is as likely what the page has to say."""
_SMALLER = 0.2
"""In points: letters that are smaller by less are those of the text."""
_SENTENCE = (".", ";", ",", ":")
_NOTE_MARKS = tuple("*\u2020\u2021\u00a7\u00b6\u00b9\u00b2\u00b3\u2074")
_LARGEST = 1.2
"""In sizes of the running text: what is larger and repeated is a title of slides."""
_CONTENT = ("LI", "Caption", "Note", "Code", "BlockQuote", "TOCI")
_NUMBER = re.compile(
    r"[\W_]*(?:page|seite|p\.)?\s*(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:/|of|von|-|–)\s*\d{1,4})?[\W_]*", re.IGNORECASE
)

Found = TypeVar("Found", bound=Element)


@dataclass(frozen=True, slots=True)
class Furniture:
    """Headers and footers of a document, by the number of the page."""

    headers: dict[int, list[Line]]
    footers: dict[int, list[Line]]

    def without(self, page: int, elements: Sequence[Found]) -> list[Found]:
        """Return what else there is of a page's lines and other elements."""
        taken = {id(line) for line in (*self.headers.get(page, ()), *self.footers.get(page, ()))}
        return [element for element in elements if id(element) not in taken]

    def as_tagged(self, layouts: Sequence[Layout]) -> "Furniture":
        """Return these as a file's tags have them: with all that is no content, without what no header can be."""
        found = Furniture({}, {})
        for layout in layouts:
            page, half = layout.number, layout.height / 2
            said = [line for line in self.without(page, layout.lines) if line.role == "Artifact"]
            headers = [line for line in self.headers.get(page, ()) if line.role not in _CONTENT]
            footers = [line for line in self.footers.get(page, ()) if line.role not in _CONTENT]
            found.headers[page] = headers + [line for line in said if line.bottom < half]
            found.footers[page] = [line for line in said if line.bottom >= half] + footers
        return found


def furniture(layouts: Sequence[Layout], typography: Typography, copies: Callable[[], AbstractSet[int]]) -> Furniture:
    """Return a document's headers and footers.

    :param copies: finds the pages on which repetition says nothing; asked last, and not where pages have few lines.
    """
    found = Furniture({}, {})
    if statistics.median(len(layout.lines) for layout in layouts) < _FEWEST_LINES:
        return found
    area = text_edges(layouts, typography)
    top, bottom = (_Edges(layouts, typography, area, at_top=at_top) for at_top in (True, False))
    copied = copies()
    for layout in layouts:
        repeats = layout.number not in copied
        if header := top.furniture_of(layout, repeats=repeats):
            found.headers[layout.number] = header
        if footer := bottom.furniture_of(layout, repeats=repeats):
            found.footers[layout.number] = footer[::-1]
    return found


class _Edges:
    """The outermost lines of all pages on one side, and what is usual there."""

    def __init__(
        self,
        layouts: Sequence[Layout],
        typography: Typography,
        area: tuple[float, float] | None,
        *,
        at_top: bool,
    ) -> None:
        self._typography = typography
        self._at_top = at_top
        self._first_page = layouts[0].number
        self._lines = {layout.number: edge(layout, at_top=at_top) for layout in layouts}
        self._repeated = repeated(self._lines)
        self._places = places(self._lines, typography, at_top=at_top)
        self._often = max(2, len(layouts) // 3)
        self._area = area

    def furniture_of(self, layout: Layout, *, repeats: bool) -> list[Line]:
        """Return a page's lines from its edge up to the last one that is a header or footer.

        Below that one comes white space or a rule: what goes on without is text, however often it is repeated.

        :param repeats: whether repetition says something on this page.
        """
        edge = self._lines[layout.number]
        last = 0
        for index, line in enumerate(edge):
            if self._is_one(layout, index, line, repeats=repeats):
                last = index + 1 if self._is_parted(layout, index, line) else last
            elif line.size > self._typography.size - _SMALLER:
                # A line of text beyond what is repeated says that this is text as well.
                break
        return edge[:last]

    def _is_parted(self, layout: Layout, index: int, line: Line) -> bool:
        if index < _BEHIND_RULE and behind_rule(line, layout, at_top=self._at_top):
            return True
        return detached(line, layout, self._typography, at_top=self._at_top)

    def _is_one(self, layout: Layout, index: int, line: Line, *, repeats: bool) -> bool:
        if line.size > _LARGEST * self._typography.size or line.single or _is_content(line):
            return False
        return (repeats and self._is_repeated(line)) or self._looks_like_one(layout, index, line)

    def _looks_like_one(self, layout: Layout, index: int, line: Line) -> bool:
        if not self._is_parted(layout, index, line):
            return False
        ruled_off = index < _BEHIND_RULE and behind_rule(line, layout, at_top=self._at_top)
        if ruled_off or _NUMBER.fullmatch(line.text):
            return True
        if not self._is_set_apart(line) or line.text.endswith(_SENTENCE):
            return False
        return self._places[place(line, at_top=self._at_top)] > self._often or self._is_outside(layout, line)

    def _is_repeated(self, line: Line) -> bool:
        """Whether a text is on several pages; one with another number on each has to be set apart from the text."""
        if self._repeated[line.text.casefold()] > 1:
            return True
        return self._repeated[alike(line)] > 1 and (self._is_set_apart(line) or line.is_row)

    def _is_set_apart(self, line: Line) -> bool:
        return line.size < self._typography.size - _SMALLER or line.italic

    def _is_outside(self, layout: Layout, line: Line) -> bool:
        """Whether a line is beyond where text begins or ends on the pages; above it is the title on the first one."""
        if self._area is None:
            return False
        distance = 0.5 * self._typography.leading(line.size)
        top, bottom = self._area
        if self._at_top:
            return layout.number != self._first_page and line.bottom < top - distance
        return line.top > bottom + distance


def _is_content(line: Line) -> bool:
    """Whether a line is a caption or a note, which may well stand at a page's edge."""
    return bool(CAPTION.match(line.text) or line.raised or line.text[:1] in _NOTE_MARKS)
