"""Pictures that stand at the same place of several pages: logos and ornaments."""

from collections import Counter
from collections.abc import Iterator, Sequence

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.edges import ZONE
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.model import Box


def mark_logos(layouts: Sequence[Layout], blocks: Sequence[Block]) -> None:
    """Label pictures that stand at the same place near the edge of several pages: logos and ornaments."""
    heights = {layout.number: layout.height for layout in layouts}
    pictures = [block for block in blocks if block.label == "picture"]
    for index in repeated_at_edge([(heights[block.page], block.box) for block in pictures]):
        pictures[index].label = "logo"


def repeated_at_edge(places: Sequence[tuple[float, Box]]) -> Iterator[int]:
    """Yield the indexes of boxes that are near the edge of their page, where another one is on its own.

    :param places: each box with the height of its page.
    """
    at_edge = [
        index
        for index, (height, (_, top, _, bottom)) in enumerate(places)
        if bottom < ZONE * height or top > (1 - ZONE) * height
    ]
    counts = Counter(_rough(places[index][1]) for index in at_edge)
    return (index for index in at_edge if counts[_rough(places[index][1])] > 1)


def _rough(box: Box) -> tuple[int, ...]:
    return tuple(round(side / 4) for side in box)
