"""Headings: what is set larger or bolder than the text, or numbered, or said to be one.

Font statistics tell what is usual, and what stands out is a heading (as in A. Budhiraja, V. Mago: A supervised learning
approach for heading detection, Expert Systems 37, 2020, without the learning).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.levels import NUMBERED, look_of, set_levels, text_of
from docrefinery.engine.geometric.assembly.markers import bullet
from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.model import Box

_LONGEST = 220
_MOST_LINES = 4
_LARGER = 1.08
_SMALLEST = 0.9
_NEARER = 1.15
_MOSTLY = 0.5
_NO_HEADING_END = (".", ",", ";", "…")
_NAMES = re.compile(r",|@|&|\b(?:and|und|by|von)\b|\d{4}", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")


def mark_headings(blocks: Sequence[Block], typography: Typography, panels: Mapping[int, Sequence[Box]]) -> None:
    """Label headings, and the title, and give each heading its level; what the file itself says of blocks is so.

    :param panels: filled boxes behind text, by page: the first line of one is its title, and no heading of a section.
    """
    found = [
        block
        for at, block in enumerate(blocks)
        if (block.told > 0 and block.label in ("text", "code"))
        or (_is_heading(blocks, at, typography) and not _titles_panel(block, panels.get(block.page, ()), typography))
    ]
    title = _title(found) if found and found[0].page == blocks[0].page else None
    if sum(block.told > 0 for block in found) >= _MOSTLY * len(found):
        found = [block for block in found if block.told != 0 or block is title]
    for block in found:
        block.label = "section_header"
    if title is not None:
        title.label = "title"
        for block in _front_matter(blocks, found, title):
            block.label = "text"
    set_levels([block for block in found if block.label == "section_header"])


def _is_heading(blocks: Sequence[Block], at: int, typography: Typography) -> bool:
    block = blocks[at]
    if block.label != "text" or not _has_form(block, typography):
        return False
    first = block.first
    numbered = bool(NUMBERED.match(first.text))
    larger = first.size > _LARGER * typography.size
    bold = all(line.bold for line in block.lines) and not typography.bold
    if block.last.text.endswith(_NO_HEADING_END) and not (larger and bold) and not numbered:
        return False
    return larger or (bold and (numbered or _is_set_off(blocks, at)))


def _has_form(block: Block, typography: Typography) -> bool:
    """Whether a block may be a heading by its form: short, of words, and with no marks of authors and footnotes."""
    first = block.first
    if len(block.lines) > _MOST_LINES or block.letters > _LONGEST:
        return False
    words = any(_WORD.search(line.text) for line in block.lines)
    marked = _marks(block) > 1 or bool(first.raised)
    running_on = block.last.text.endswith(",") or bullet(first.text) is not None
    # Parts far from each other are cells of a row; after a number there may be room.
    running_on = running_on or (first.is_row and not NUMBERED.match(first.text))
    return (
        words and first.size >= _SMALLEST * typography.size and not (first.mono or first.single or marked or running_on)
    )


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
    looks = Counter(look_of(block) for block in found)
    for block in blocks[at + 1 :]:
        if block.page != title.page:
            return
        if block.label != "section_header":
            continue
        named = looks[look_of(block)] == 1 and _NAMES.search(text_of(block))
        if block.told > 0 or not (_marks(block) or named):
            return
        yield block
