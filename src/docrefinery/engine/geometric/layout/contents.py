"""Tables of contents and indices: entries with their page, each of which is a paragraph of its own and no heading."""

import re
from collections.abc import Sequence

from docrefinery.engine.geometric.layout.lines import Line

_LEADER = re.compile(r"(?:\s?[.\u2026\u00b7_]){4,}\s*[\divxlcIVXLC]*$")
_PAGE = re.compile(r"\s(?:\d{1,4}|[ivxlc]{1,6})$")
_TAIL = 200
_FEWEST = 3
_AT_EDGE = 1.5
"""In em: how far a page's number may be from the right edge of the column."""


def mark_contents(lines: Sequence[Line]) -> None:
    """Mark the entries of a column: those with leaders, and those with a number far off at the right edge.

    The latter are entries only where there are several: the number of a formula stands there too.
    """
    if not lines:
        return
    right = max(line.right for line in lines)
    entries = [line for line in lines if _LEADER.search(line.text[-_TAIL:])]
    numbered = [line for line in lines if line.parts and _PAGE.search(line.text) and _at_edge(line, right)]
    if len(entries) + len(numbered) < _FEWEST:
        return
    for line in (*entries, *numbered):
        line.single = True


def _at_edge(line: Line, right: float) -> bool:
    return right - line.right < _AT_EDGE * line.size and line.parts[-1] > right - 3 * line.size
