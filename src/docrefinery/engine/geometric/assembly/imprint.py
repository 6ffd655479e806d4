"""The publisher's imprint: the box on the margin of a first page with dates, licence and identifiers."""

import re
from collections.abc import Sequence

from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.layout.layout import Element, Layout
from docrefinery.engine.geometric.layout.lines import Line

_NARROW = 0.6
_SMALLER = 0.95
_FEWEST = 2
_SIGNS = re.compile(
    r"\b(doi|issn|received|submitted|accepted|published|revised|licen[sc]e|copyright|creative commons|citation|"
    r"(?:academic |handling )?editors?|reviewers?|correspondence|open access)\b|\u00a9",
    re.IGNORECASE,
)


def is_imprint(layout: Layout, column: Sequence[Element], typography: Typography) -> bool:
    """Whether a column of a page is such a box: narrow, in small letters, and saying what an imprint says."""
    lines = [element for element in column if isinstance(element, Line)]
    own = {id(line) for line in lines}
    others = [line for line in layout.lines if id(line) not in own]
    if not lines or not others:
        return False
    width = max(line.right for line in lines) - min(line.left for line in lines)
    beside = max(line.right for line in others) - min(line.left for line in others)
    smaller = all(line.size <= _SMALLER * typography.size for line in lines)
    signs = {match[0].lower() for line in lines for match in _SIGNS.finditer(line.text)}
    return smaller and width < _NARROW * beside and len(signs) >= _FEWEST
