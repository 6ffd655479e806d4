"""Pictures that stand at the same place of several pages: logos and ornaments."""

from collections import Counter
from collections.abc import Sequence

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.edges import ZONE
from docrefinery.engine.geometric.layout.layout import Layout


def mark_logos(layouts: Sequence[Layout], blocks: Sequence[Block]) -> None:
    """Label pictures that stand at the same place near the edge of several pages: logos and ornaments."""
    heights = {layout.number: layout.height for layout in layouts}
    places: Counter[tuple[int, ...]] = Counter()
    at_edge = []
    for block in blocks:
        if block.label != "picture":
            continue
        _, top, _, bottom = block.box
        height = heights[block.page]
        if bottom < ZONE * height or top > (1 - ZONE) * height:
            at_edge.append(block)
            places[_rough(block)] += 1
    for block in at_edge:
        if places[_rough(block)] > 1:
            block.label = "logo"


def _rough(block: Block) -> tuple[int, ...]:
    return tuple(round(side / 4) for side in block.box)
