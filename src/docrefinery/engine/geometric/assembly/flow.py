"""Paragraphs that go on in the next column, on the next page, or behind a figure."""

import re
from collections.abc import Sequence

from docrefinery.engine.geometric.assembly.blocks import Block

_ENDS = (".", "!", "?", ":", ";", "”", '"', "。", "！", "？", "：")
_PASSED = ("caption", "caption_of", "footnote", "table", "picture", "page_header", "page_footer", "imprint", "logo")
_SAME_SIZE = 0.06
_NOTE = 0.93
_WORD = re.compile(r"[^\W\d_]{2}|[\u3040-\u9fff]")


def join_flow(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks with the parts of each paragraph in the place of its first one."""
    joined: list[Block] = []
    for block in blocks:
        block.places = [(block.page, block.box)]
        before = _before(joined, block) if block.label == "text" else None
        if before is not None:
            before.places += block.places
            before.lines += block.lines
            before.element = block.element
        else:
            joined.append(block)
    return joined


def _before(joined: Sequence[Block], block: Block) -> Block | None:
    """Return the paragraph that a block goes on."""
    passed = False
    for other in reversed(joined):
        if other.label in _PASSED:
            passed = True
            continue
        if other.label not in ("text", "list_item"):
            return None
        if _is_note_beside(other, block):
            passed = True
            continue
        page = other.places[-1][0]
        moved = passed or page != block.page or other.last.region != block.first.region
        if page == block.page and other.element >= 0 and block.element >= 0:
            if other.element == block.element:
                return other
            # Columns are two places, what stands above and below a figure is one.
            moved = other.last.region != block.first.region
        return other if moved and block.page - page <= 1 and _goes_on(other, block) else None
    return None


def _is_note_beside(other: Block, block: Block) -> bool:
    """Whether a block is a note on the margin, in smaller letters, of the text that goes on."""
    if other.first.size >= _NOTE * block.first.size:
        return False
    apart = other.last.right <= block.first.left or other.last.left >= block.first.right
    return apart or other.last.region != block.first.region


def _goes_on(before: Block, block: Block) -> bool:
    last, first = before.last, block.first
    if abs(last.size - first.size) > _SAME_SIZE * last.size or last.bold != first.bold:
        return False
    text = last.text
    if text.endswith(_ENDS) or not _WORD.search(first.text):
        return False
    if first.text[:1].islower() or text.endswith(("-", ",")):
        return True
    full = before.column[1] - last.right < 2 * last.size
    return full and first.left < block.column[0] + 0.5 * first.size and before.label == "text"
