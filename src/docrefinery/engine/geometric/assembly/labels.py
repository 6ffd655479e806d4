"""What blocks are besides headings: items of lists, code, captions, footnotes."""

import re
from collections.abc import Sequence

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.markers import bullet, number
from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.layout.names import CAPTION

_SMALLER = 0.93
_NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¶]|[a-z])\s*\S")
_NESTED = 0.6
_NEAR_ITEMS = 6


def mark_blocks(blocks: Sequence[Block]) -> None:
    """Label code and captions, which are no headings whatever they look like."""
    for block in blocks:
        if not block.lines:
            continue
        if all(line.mono for line in block.lines):
            block.label = "code"
        elif CAPTION.match(block.first.text):
            block.label = "caption"


def mark_items(blocks: Sequence[Block], typography: Typography) -> None:
    """Label footnotes and items of lists among what is still text."""
    for at, block in enumerate(blocks):
        if block.label != "text":
            continue
        if _is_note(blocks, at, typography):
            block.label = "footnote"
        elif _is_item(blocks, at):
            block.label = "list_item"
    _nest(blocks)


def _is_note(blocks: Sequence[Block], at: int, typography: Typography) -> bool:
    block = blocks[at]
    if block.first.size > _SMALLER * typography.size or not _NOTE.match(block.first.text):
        return False
    if not (block.first.raised or block.first.text[:1] in "*†‡§¶" or block.first.text[:1].isdigit()):
        return False
    after = [other for other in blocks[at + 1 : at + 12] if other.page == block.page and other.lines]
    return all(other.first.size <= _SMALLER * typography.size or other.box[1] < block.box[1] for other in after)


def _is_item(blocks: Sequence[Block], at: int) -> bool:
    block = blocks[at]
    if block.first.single:
        return False
    if bullet(block.first.text) is not None:
        return True
    mark = number(block.first.text)
    if mark is None:
        return False
    near = (*blocks[max(0, at - _NEAR_ITEMS) : at], *blocks[at + 1 : at + 1 + _NEAR_ITEMS])
    return any(mark.is_next_to(number(other.first.text)) for other in near if other.lines)


def _nest(blocks: Sequence[Block]) -> None:
    """Set the depth of items from where they begin, run by run."""
    lefts: list[float] = []
    for block in blocks:
        if block.label != "list_item":
            lefts = []
            continue
        em = block.first.size
        mark = bullet(block.first.text) or number(block.first.text)
        # Without one if its tag alone says that it is an item.
        block.marker = mark.text if mark is not None else ""
        left = block.first.left
        while lefts and left < lefts[-1] - _NESTED * em:
            lefts.pop()
        if not lefts or left > lefts[-1] + _NESTED * em:
            lefts.append(left)
        block.level = len(lefts) - 1
