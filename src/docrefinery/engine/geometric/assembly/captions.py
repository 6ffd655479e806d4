"""Captions and what they belong to."""

from collections.abc import Sequence

from docrefinery.engine.geometric.assembly.blocks import Block

_FARTHEST = 3.0
"""In heights of a line: how far a caption is from its figure or table, at most."""
_OVERLAP = 0.3


def pair_captions(blocks: Sequence[Block]) -> None:
    """Give each caption to the nearest figure or table of its page, right above or below it."""
    by_page: dict[int, list[Block]] = {}
    for block in blocks:
        if block.content is not None:
            by_page.setdefault(block.page, []).append(block)
    for caption in blocks:
        if caption.label != "caption":
            continue
        near = [block for block in by_page.get(caption.page, ()) if block.caption is None and _fits(caption, block)]
        if near:
            owner = min(near, key=lambda block: _gap(caption, block))
            owner.caption = caption
            caption.label = "caption_of"


def _fits(caption: Block, block: Block) -> bool:
    left, _, right, _ = caption.box
    others_left, _, others_right, _ = block.box
    overlap = min(right, others_right) - max(left, others_left)
    narrower = min(right - left, others_right - others_left)
    beside = overlap > _OVERLAP * narrower or caption.column == block.column
    return beside and _gap(caption, block) < _FARTHEST * caption.first.height


def _gap(caption: Block, block: Block) -> float:
    _, top, _, bottom = caption.box
    _, others_top, _, others_bottom = block.box
    return max(others_top - bottom, top - others_bottom, 0.0)
