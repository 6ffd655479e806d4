"""Headings: what is set larger or bolder than the text, or numbered, and how deep each one is.

Font statistics tell what is usual, and what stands out is a heading (as in A. Budhiraja, V. Mago: A supervised learning
approach for heading detection, Expert Systems 37, 2020, without the learning); the numbers of sections settle levels.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.markers import bullet
from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.model import Box

_LONGEST = 220
_MOST_LINES = 4
_LARGER = 1.08
_SMALLEST = 0.9
_NEARER = 1.15
_MOSTLY = 0.5
_NUMBERED = re.compile(
    r"(?:(?:chapter|section|part|appendix|annex)\s+)?(\d{1,2}(?:\.\d{1,2}){0,4}|[A-Z](?:\.\d{1,2}){1,4}|(?:[A-Z]|[IVX]{1,5})(?=[.)]))[.)]?\s+\S",
    re.IGNORECASE,
)
_NO_HEADING_END = (".", ",", ";", "…")
_NAMES = re.compile(r",|@|&|\b(?:and|und|by|von)\b|\d{4}", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")


def mark_headings(blocks: Sequence[Block], typography: Typography, panels: Mapping[int, Sequence[Box]]) -> None:
    """Label headings, and the title, and give each heading its level.

    :param panels: filled boxes behind text, by page: the first line of one is its title, and no heading of a section.
    """
    found = [
        block
        for at, block in enumerate(blocks)
        if _is_heading(blocks, at, typography) and not _titles_panel(block, panels.get(block.page, ()), typography)
    ]
    for block in found:
        block.label = "section_header"
    title = _title(found)
    if title is not None:
        title.label = "title"
        for block in _front_matter(blocks, found, title):
            block.label = "text"
    _set_levels([block for block in found if block.label == "section_header"])


def _is_heading(blocks: Sequence[Block], at: int, typography: Typography) -> bool:
    block = blocks[at]
    if block.label != "text" or not _has_form(block, typography):
        return False
    first = block.first
    numbered = bool(_NUMBERED.match(first.text))
    larger = first.size > _LARGER * typography.size
    bold = all(line.bold for line in block.lines) and not typography.bold
    if block.last.text.endswith(_NO_HEADING_END) and not (larger and bold) and not numbered:
        return False
    return larger or (bold and (numbered or _is_set_off(blocks, at)))


def _has_form(block: Block, typography: Typography) -> bool:
    """Whether a block may be a heading by its form: short, of words, and with no marks of authors and footnotes."""
    first = block.first
    short = len(block.lines) <= _MOST_LINES and block.letters <= _LONGEST
    words = any(_WORD.search(line.text) for line in block.lines)
    marked = _marks(block) > 1 or bool(first.raised)
    running_on = block.last.text.endswith(",") or bullet(first.text) is not None
    return short and words and first.size >= _SMALLEST * typography.size and not (first.mono or marked or running_on)


def _is_set_off(blocks: Sequence[Block], at: int) -> bool:
    """Whether a block is nearer to what follows than to what comes before, as a heading is."""
    block = blocks[at]
    following = blocks[at + 1] if at + 1 < len(blocks) else None
    if following is None or following.page != block.page or following.column != block.column:
        return False
    before = blocks[at - 1] if at else None
    if before is None or before.page != block.page or before.column != block.column:
        return True
    return block.space > _NEARER * following.space


def _marks(block: Block) -> int:
    return sum(line.marks for line in block.lines)


def _text(block: Block) -> str:
    return " ".join(line.text for line in block.lines)


def _titles_panel(block: Block, panels: Sequence[Box], typography: Typography) -> bool:
    if block.first.size > _LARGER * typography.size:
        return False
    x, y = block.first.left, (block.first.top + block.first.bottom) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in panels)


def _title(found: Sequence[Block]) -> Block | None:
    """Return the largest heading of the first page, if nothing later is as large."""
    first = [block for block in found if block.page == found[0].page]
    if not first:
        return None
    largest = max(block.first.size for block in first)
    title = next(block for block in first if block.first.size == largest)
    rivals = [block for block in found if block is not title and block.first.size >= largest]
    return title if not rivals and len(found) > 1 else None


def _front_matter(blocks: Sequence[Block], found: Sequence[Block], title: Block) -> Iterator[Block]:
    """Yield what stands between the title and the first heading that is one: authors, a subtitle, a date."""
    at = next(at for at, block in enumerate(blocks) if block is title)
    looks = Counter(_look(block) for block in found)
    for block in blocks[at + 1 :]:
        if block.page != title.page:
            return
        if block.label != "section_header":
            continue
        if not _marks(block) and not (looks[_look(block)] == 1 and _NAMES.search(_text(block))):
            return
        yield block


def _set_levels(found: Sequence[Block]) -> None:
    """Give levels: by numbers where most headings have one, else by looks, the largest first."""
    depths = {id(block): _depth(block) for block in found}
    numbered = [block for block in found if depths[id(block)]]
    looks = sorted({_look(block) for block in found}, reverse=True)
    if len(numbered) < _MOSTLY * len(found):
        for block in found:
            block.level = looks.index(_look(block)) + 1
        return
    usual: dict[tuple[float, bool, bool], Counter[int]] = {}
    for block in numbered:
        usual.setdefault(_look(block), Counter())[depths[id(block)]] += 1
    for block in found:
        alike = usual.get(_look(block))
        block.level = depths[id(block)] or (
            alike.most_common(1)[0][0] if alike else min(looks.index(_look(block)) + 1, 2)
        )


def _depth(block: Block) -> int:
    match = _NUMBERED.match(_text(block))
    return match[1].count(".") + 1 if match else 0


def _look(block: Block) -> tuple[float, bool, bool]:
    first = block.first
    return round(first.size * 2) / 2, first.bold, not first.italic
