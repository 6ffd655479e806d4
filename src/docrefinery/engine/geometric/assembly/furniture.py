"""Page headers and footers: what stands at the same place of several pages, outside of the text.

The features are those of X. Lin: Header and footer extraction by page-association, SPIE 5010, 2003: text that is alike
up to its numbers, at the same height, on neighbouring pages.
"""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.labels import CAPTION
from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.layout.layout import Element, Layout
from docrefinery.engine.geometric.layout.lines import Line

_ZONE = 0.13
"""Share of a page's height at its top and at its bottom in which headers and footers are."""
_BEHIND_RULE = 2
_DEEPEST = 4
"""Most lines of a header or footer."""
_FEWEST_LINES = 4
"""Of a page, at the median: on pages with less, a line at the edge is as likely what the page has to say."""
_SAME_SIZE = 0.3
_COPIED = 0.5
_LARGEST = 1.2
"""In sizes of the running text: what is larger and repeated is a title of slides."""
_CONTENT = ("LI", "Caption", "Note", "Code", "BlockQuote", "TOCI")
_NUMBER = re.compile(
    r"[\W_]*(?:page|seite|p\.)?\s*(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:/|of|von|-|–)\s*\d{1,4})?[\W_]*", re.IGNORECASE
)
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")


@dataclass(frozen=True, slots=True)
class Furniture:
    """Headers and footers of a document, by the number of the page."""

    headers: dict[int, list[Line]]
    footers: dict[int, list[Line]]

    def holds(self, page: int, element: Element) -> bool:
        """Whether something is one of a page's."""
        return any(element is other for other in (*self.headers.get(page, ()), *self.footers.get(page, ())))

    def as_tagged(self, layouts: Sequence[Layout]) -> "Furniture":
        """Return these as a file's tags have them: with all that is no content, without what no header can be."""
        found = Furniture({}, {})
        for layout in layouts:
            page, half = layout.number, layout.height / 2
            said = [line for line in layout.lines if line.role == "Artifact" and not self.holds(page, line)]
            headers = [line for line in self.headers.get(page, ()) if line.role not in _CONTENT]
            footers = [line for line in self.footers.get(page, ()) if line.role not in _CONTENT]
            found.headers[page] = headers + [line for line in said if line.bottom < half]
            found.footers[page] = [line for line in said if line.bottom >= half] + footers
        return found


def furniture(layouts: Sequence[Layout], typography: Typography) -> Furniture:
    """Return a document's headers and footers."""
    found = Furniture({}, {})
    if statistics.median(len(layout.lines) for layout in layouts) < _FEWEST_LINES:
        return found
    for at_top, into in ((True, found.headers), (False, found.footers)):
        edges = _Edges(layouts, typography, at_top=at_top)
        for layout in layouts:
            edge = edges.furniture_of(layout)
            if edge:
                into[layout.number] = edge if at_top else edge[::-1]
    return found


class _Edges:
    """The outermost lines of all pages on one side, and what is usual there."""

    def __init__(self, layouts: Sequence[Layout], typography: Typography, *, at_top: bool) -> None:
        self._typography = typography
        self._at_top = at_top
        self._first_page = layouts[0].number
        self._lines = {layout.number: _edge(layout, at_top=at_top) for layout in layouts}
        self._repeated = _repeated(self._lines)
        self._copies = copies(layouts)
        self._places = _places(self._lines, typography, at_top=at_top)
        self._often = max(2, len(layouts) // 3)
        self._area = text_edge(layouts, typography, at_top=at_top)

    def furniture_of(self, layout: Layout) -> list[Line]:
        """Return a page's lines from its edge up to the last one that is a header or footer.

        Below that one comes white space or a rule: what goes on without is text, however often it is repeated.
        """
        edge = self._lines[layout.number]
        found = [
            index + 1
            for index, line in enumerate(edge)
            if self._is_one(layout, index, line) and self._is_parted(layout, index, line)
        ]
        return edge[: max(found, default=0)]

    def _is_parted(self, layout: Layout, index: int, line: Line) -> bool:
        if index < _BEHIND_RULE and _behind_rule(line, layout, at_top=self._at_top):
            return True
        return _detached(line, layout, self._typography, at_top=self._at_top)

    def _is_one(self, layout: Layout, index: int, line: Line) -> bool:
        if line.size > _LARGEST * self._typography.size or CAPTION.match(line.text):
            return False
        if self._repeated[_alike(line)] > 1 and layout.number not in self._copies:
            return True
        if not self._is_parted(layout, index, line):
            return False
        if index < _BEHIND_RULE and _behind_rule(line, layout, at_top=self._at_top):
            return True
        often = self._places[_place(line, at_top=self._at_top)] > self._often
        return bool(often or _NUMBER.fullmatch(line.text)) or self._is_outside(layout, line)

    def _is_outside(self, layout: Layout, line: Line) -> bool:
        """Whether a line is beyond where text begins or ends on the pages; above it is the title on the first one."""
        heading = line.bold or line.size > 1.05 * self._typography.size
        if self._area is None or heading:
            return False
        distance = 0.5 * self._typography.leading(line.size)
        if self._at_top:
            return layout.number != self._first_page and line.bottom < self._area - distance
        return line.top > self._area + distance


def copies(layouts: Sequence[Layout]) -> set[int]:
    """Return the numbers of pages most of whose lines are on another page too: there, repetition says nothing."""
    pages: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for layout in layouts:
        for line in layout.lines:
            pages[_alike(line), round(line.top / 6)].add(layout.number)
    return {
        layout.number
        for layout in layouts
        if sum(len(pages[_alike(line), round(line.top / 6)]) > 1 for line in layout.lines) > _COPIED * len(layout.lines)
    }


def text_edge(layouts: Sequence[Layout], typography: Typography, *, at_top: bool) -> float | None:
    """Return where running text begins or ends at the outermost, in points from the top; of a single page, none."""
    edges = []
    for layout in layouts:
        lines = [line for line in layout.lines if abs(line.size - typography.size) < _SAME_SIZE]
        inner = [
            line
            for above, line, below in zip([None, *lines], lines, [*lines[1:], None], strict=False)
            if _follows(above, line, typography) or _follows(line, below, typography)
        ]
        if inner:
            edges.append(min(line.top for line in inner) if at_top else max(line.bottom for line in inner))
    return (min(edges) if at_top else max(edges)) if len(edges) > 1 else None


def _follows(line: Line | None, below: Line | None, typography: Typography) -> bool:
    return line is not None and below is not None and 0 < below.base - line.base < 1.2 * typography.leading(line.size)


def _edge(layout: Layout, *, at_top: bool) -> list[Line]:
    """Return the outermost lines of a page, from its edge inwards."""
    zone = _ZONE * layout.height
    if at_top:
        inside = sorted((line for line in layout.lines if line.bottom < zone), key=lambda line: (line.top, line.left))
    else:
        limit = layout.height - zone
        inside = sorted((line for line in layout.lines if line.top > limit), key=lambda line: (-line.bottom, line.left))
    return inside[:_DEEPEST]


def mark_repeated_pictures(layouts: Sequence[Layout], blocks: Sequence[Block]) -> None:
    """Label pictures that stand at the same place near the edge of several pages: logos and ornaments."""
    heights = {layout.number: layout.height for layout in layouts}
    places: Counter[tuple[int, ...]] = Counter()
    at_edge = []
    for block in blocks:
        if block.label != "picture":
            continue
        _, top, _, bottom = block.box
        height = heights[block.page]
        if bottom < _ZONE * height or top > (1 - _ZONE) * height:
            at_edge.append(block)
            places[_rough(block)] += 1
    for block in at_edge:
        if places[_rough(block)] > 1:
            block.label = "logo"


def _rough(block: Block) -> tuple[int, ...]:
    return tuple(round(side / 4) for side in block.box)


def _behind_rule(line: Line, layout: Layout, *, at_top: bool) -> bool:
    return line.base <= layout.head + 1 if at_top else line.top >= layout.foot - 1


def _alike(line: Line) -> str:
    return _DIGITS.sub("#", line.text.casefold())


def _repeated(edges: dict[int, list[Line]]) -> Counter[str]:
    """Count on how many pages a text stands at about the same height as on another one."""
    tops: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for page, edge in edges.items():
        for line in edge:
            tops[_alike(line)].append((page, line.top))
    counts: Counter[str] = Counter()
    for text, seen in tops.items():
        if text.strip("# ") or len(seen) > 1:
            near = sum(abs(a[1] - b[1]) < 6 and a[0] != b[0] for a, b in pairwise(sorted(seen, key=lambda x: x[1])))
            counts[text] = near + 1 if near else 1
    return counts


def _place(line: Line, *, at_top: bool) -> tuple[int, float]:
    return round((line.bottom if at_top else line.top) / 3), line.size


def _places(edges: dict[int, list[Line]], typography: Typography, *, at_top: bool) -> Counter[tuple[int, float]]:
    """Count how many pages have a line of some other style than the text's at a height: running heads change."""
    counts: Counter[tuple[int, float]] = Counter()
    for edge in edges.values():
        counts.update(
            _place(line, at_top=at_top) for line in edge[:1] if line.size < typography.size - 0.2 or line.italic
        )
    return counts


def _detached(line: Line, layout: Layout, typography: Typography, *, at_top: bool) -> bool:
    """Whether more than a line's distance lies between a line at the edge and what comes next."""
    inner = [
        other
        for column in layout.columns
        for other in column
        if (other.top > line.bottom - 1 if at_top else other.bottom < line.top + 1)
    ]
    if not inner:
        return True
    gap = min(other.top for other in inner) - line.bottom if at_top else line.top - max(o.bottom for o in inner)
    return gap > 0.5 * typography.leading(line.size)
