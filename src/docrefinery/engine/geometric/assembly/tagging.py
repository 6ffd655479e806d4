"""What a tagged PDF says of its blocks, if that can be relied on.

Tags are written by programs that know the text's structure and by such that guess it line by line; which it was shows
in whether tags and typography mostly agree on where paragraphs end.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from docrefinery.engine.geometric.assembly.blocks import Block, Label
from docrefinery.engine.geometric.assembly.markers import bullet, number
from docrefinery.engine.geometric.layout.lines import Line

_COVERED = 0.8
"""Share of a page's letters that have a role, and share of pages with so many."""
_MOST_ARTIFACTS = 0.3
_MOST_HEADINGS = 0.5
_LONGEST_HEADING = 400
_MOST_ODD = 0.5
"""Share of the places where lines go on, or where they end, at which tags say the contrary."""
_HEADING = re.compile(r"H[1-6]")
_LABELS: dict[str, Label] = {"Caption": "caption", "Note": "footnote", "Code": "code", "LI": "list_item"}
_TEXTS = ("P", "BlockQuote", "TOCI", *_LABELS)


def is_tagged_well(blocks: Sequence[Block]) -> bool:
    """Whether a document's tags can be relied on.

    :param blocks: of all pages, by their geometry alone.
    """
    lines = [(block.page, line) for block in blocks for line in block.lines]
    if not any(line.element >= 0 for _, line in lines):
        return False
    return _are_covered(lines) and _have_roles([line for _, line in lines]) and _paragraphs_agree(blocks)


def _are_covered(lines: Sequence[tuple[int, Line]]) -> bool:
    letters, tagged = Counter[int](), Counter[int]()
    for page, line in lines:
        letters[page] += len(line.text)
        tagged[page] += len(line.text) if line.role else 0
    return sum(tagged[page] >= _COVERED * letters[page] for page in letters) >= _COVERED * len(letters)


def _have_roles(lines: Sequence[Line]) -> bool:
    letters: Counter[str] = Counter()
    for line in lines:
        letters["heading" if _HEADING.fullmatch(line.role) else line.role] += len(line.text)
    most_headings = _MOST_HEADINGS * (letters.total() - letters["Artifact"])
    return letters["Artifact"] <= _MOST_ARTIFACTS * letters.total() and letters["heading"] <= most_headings


def _paragraphs_agree(blocks: Sequence[Block]) -> bool:
    inside = [line.element != other.element for line, other in _steps_inside(blocks)]
    between = [line.element == other.element for line, other in _steps_between(blocks)]
    return all(sum(odd) <= _MOST_ODD * len(odd) for odd in (inside, between))


def _steps_inside(blocks: Sequence[Block]) -> Iterator[tuple[Line, Line]]:
    for block in blocks:
        for line, other in pairwise(block.lines):
            if line.element >= 0 and other.element >= 0 and not line.mono:
                yield line, other


def _steps_between(blocks: Sequence[Block]) -> Iterator[tuple[Line, Line]]:
    for block, other in pairwise(blocks):
        if block.lines and other.lines and block.page == other.page and block.column == other.column:
            line, following = block.last, other.first
            if line.element >= 0 and following.element >= 0 and not line.mono:
                yield line, following


def mark_roles(blocks: Sequence[Block]) -> None:
    """Label blocks as their tags say; what the outline says is a heading stays one."""
    letters: defaultdict[tuple[int, int], int] = defaultdict(int)
    for block in blocks:
        letters[block.page, block.element] += block.letters
    item: Block | None = None
    for block in blocks:
        if not block.lines or block.label not in ("text", "code") or block.told > 0:
            continue
        if _HEADING.fullmatch(block.role) and letters[block.page, block.element] <= _LONGEST_HEADING:
            block.told = int(block.role[1:])
        elif block.role in _TEXTS:
            block.told = 0
            if block.role != "LI" or not _goes_on(item, block):
                block.label = _LABELS.get(block.role, block.label)
        if block.role == "LI":
            item = block


def _goes_on(item: Block | None, block: Block) -> bool:
    """Whether a block is no item but the rest of one that began on another page or in another column."""
    if item is None or _is_marked(block):
        return False
    if item.page == block.page:
        return item.element == block.element
    return _is_marked(item)


def _is_marked(block: Block) -> bool:
    return (bullet(block.first.text) or number(block.first.text)) is not None
