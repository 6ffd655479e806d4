"""What tells headers and footers from text: repetition, distance, and where text begins and ends."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.layout.lines import Line

ZONE = 0.13
"""Share of a page's height at its top and at its bottom in which headers and footers are."""
_DEEPEST = 4
"""Most lines of a header or footer."""
_SAME_SIZE = 0.3
"""In points: what rounding does to the size of running text."""
_COPIED = 0.5
_DIGITS = re.compile(
    r"^(?:\d+|[ivxlc]+)\b|\b(?:\d+|[ivxlc]+)$|(?<=page )\d+|(?<=of )\d+|(?<=/)\d+|\d+(?=/)", re.IGNORECASE
)
"""Where a page's number stands: at one end of a line, or after its name."""
_NUMERALS = frozenset("ivxlc\u0131")
_DIGIT = re.compile(r"\d")


def edge(layout: Layout, *, at_top: bool) -> list[Line]:
    """Return the outermost lines of a page, from its edge inwards."""
    zone = ZONE * layout.height
    if at_top:
        inside = sorted((line for line in layout.lines if line.bottom < zone), key=lambda line: (line.top, line.left))
    else:
        limit = layout.height - zone
        inside = sorted((line for line in layout.lines if line.top > limit), key=lambda line: (-line.bottom, line.left))
    return inside[:_DEEPEST]


def alike(line: Line) -> str:
    """Return the text of a line without what changes from page to page."""
    text = line.text.casefold()
    # Most lines have no number, and the search for one at their end takes a try at each of their letters.
    if text[:1] in _NUMERALS or text[-1:] in _NUMERALS or _DIGIT.search(text):
        return _DIGITS.sub("#", text)
    return text


def repeated(edges: dict[int, list[Line]]) -> Counter[str]:
    """Count on how many pages a text stands at about the same height as on another one."""
    tops: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for page, edge in edges.items():
        for line in edge:
            for text in dict.fromkeys((line.text.casefold(), alike(line))):
                tops[text].append((page, line.top))
    counts: Counter[str] = Counter()
    for text, seen in tops.items():
        if text.strip("# ") or len(seen) > 1:
            near = sum(abs(a[1] - b[1]) < 6 and a[0] != b[0] for a, b in pairwise(sorted(seen, key=lambda x: x[1])))
            counts[text] = near + 1 if near else 1
    return counts


def copies(layouts: Sequence[Layout]) -> set[int]:
    """Return the numbers of pages most of whose lines are on another page too: there, repetition says nothing."""
    lines = {layout.number: [(alike(line), round(line.top / 6)) for line in layout.lines] for layout in layouts}
    on_pages = Counter(place for found in lines.values() for place in set(found))
    return {page for page, found in lines.items() if sum(on_pages[place] > 1 for place in found) > _COPIED * len(found)}


def place(line: Line, *, at_top: bool) -> tuple[int, float]:
    """Return at what height of its page a line is, roughly, and its size."""
    return round((line.bottom if at_top else line.top) / 3), line.size


def places(edges: dict[int, list[Line]], typography: Typography, *, at_top: bool) -> Counter[tuple[int, float]]:
    """Count how many pages have a line of some other style than the text's at a height: running heads change."""
    counts: Counter[tuple[int, float]] = Counter()
    for edge in edges.values():
        counts.update(
            place(line, at_top=at_top) for line in edge[:1] if line.size < typography.size - 0.2 or line.italic
        )
    return counts


def behind_rule(line: Line, layout: Layout, *, at_top: bool) -> bool:
    """Whether a rule across the page parts a line from the text."""
    return line.base <= layout.head + 1 if at_top else line.top >= layout.foot - 1


def detached(line: Line, layout: Layout, typography: Typography, *, at_top: bool) -> bool:
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


def text_edges(layouts: Sequence[Layout], typography: Typography) -> tuple[float, float] | None:
    """Return where running text begins and ends at the outermost, in points from the top; of a single page, none."""
    tops, bottoms = [], []
    for layout in layouts:
        lines = [line for line in layout.lines if abs(line.size - typography.size) < _SAME_SIZE]
        inner = [
            line
            for above, line, below in zip([None, *lines], lines, [*lines[1:], None], strict=False)
            if _follows(above, line, typography) or _follows(line, below, typography)
        ]
        if inner:
            tops.append(min(line.top for line in inner))
            bottoms.append(max(line.bottom for line in inner))
    return (min(tops), max(bottoms)) if len(tops) > 1 else None


def _follows(line: Line | None, below: Line | None, typography: Typography) -> bool:
    return line is not None and below is not None and 0 < below.base - line.base < 1.2 * typography.leading(line.size)
