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
        edges = {layout.number: _edge(layout, at_top=at_top) for layout in layouts}
        repeated = _repeated(edges)
        places = _places(edges, typography, at_top=at_top)
        for layout in layouts:
            edge = edges[layout.number]
            last = 0
            for index, line in enumerate(edge):
                detached = _detached(edge, index, layout, typography, at_top=at_top)
                if line.size <= _LARGEST * typography.size and (
                    (index < _BEHIND_RULE and _behind_rule(line, layout, at_top=at_top))
                    or repeated[_alike(line)] > 1
                    or (detached and _NUMBER.fullmatch(line.text))
                    or (detached and places[_place(line, at_top=at_top)] > max(2, len(layouts) // 3))
                ):
                    last = index + 1
            if last:
                into[layout.number] = edge[:last] if at_top else edge[:last][::-1]
    return found


def _edge(layout: Layout, *, at_top: bool) -> list[Line]:
    """Return the outermost lines of a page, from its edge inwards."""
    zone = _ZONE * layout.height
    lines = layout.lines
    if at_top:
        inside = sorted((line for line in lines if line.bottom < zone), key=lambda line: (line.top, line.left))
    else:
        limit = layout.height - zone
        inside = sorted((line for line in lines if line.top > limit), key=lambda line: (-line.bottom, line.left))
    return inside[:_DEEPEST]


def _behind_rule(line: Line, layout: Layout, *, at_top: bool) -> bool:
    if CAPTION.match(line.text):
        return False
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


def _detached(edge: Sequence[Line], index: int, layout: Layout, typography: Typography, *, at_top: bool) -> bool:
    """Whether more than a line's distance lies between a line at the edge and what comes next."""
    line = edge[index]
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
