"""How deep headings are: as the file says, by their numbers, or by how they are set."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from docrefinery.engine.geometric.assembly.blocks import Block

_MOSTLY = 0.5
NUMBERED = re.compile(
    r"(?:(?:chapter|section|part|appendix|annex)\s+)?(\d{1,2}(?:\.\d{1,2}){0,4}|[A-Z](?:\.\d{1,2}){1,4}|(?:[A-Z]|[IVX]{1,5})(?=[.)]))[.)]?\s+\S",
    re.IGNORECASE,
)

Look = tuple[float, bool, bool]
"""Size, whether it is bold, whether it is upright: the greater, the higher the heading."""


def text_of(block: Block) -> str:
    """Return the text of a block's lines."""
    return " ".join(line.text for line in block.lines)


def look_of(block: Block) -> Look:
    """Return how a heading is set."""
    first = block.first
    return round(first.size * 2) / 2, first.bold, not first.italic


def set_levels(found: Sequence[Block]) -> None:
    """Give levels: as the file says, by numbers where most headings have one, else by looks, the largest first."""
    depths = {id(block): _depth(block) for block in found}
    if any(block.told > 0 for block in found):
        _follow(found, depths)
        return
    numbered = [block for block in found if depths[id(block)]]
    looks = sorted({look_of(block) for block in found}, reverse=True)
    if len(numbered) < _MOSTLY * len(found):
        for block in found:
            block.level = looks.index(look_of(block)) + 1
        return
    usual: dict[Look, Counter[int]] = {}
    for block in numbered:
        usual.setdefault(look_of(block), Counter())[depths[id(block)]] += 1
    for block in found:
        alike = usual.get(look_of(block))
        block.level = depths[id(block)] or (
            alike.most_common(1)[0][0] if alike else min(looks.index(look_of(block)) + 1, 2)
        )


def _depth(block: Block) -> int:
    match = NUMBERED.match(text_of(block))
    return match[1].count(".") + 1 if match else 0


def _follow(found: Sequence[Block], depths: Mapping[int, int]) -> None:
    """Give the levels that the file tells, without gaps, and to the other headings those of the ones that are alike.

    One with a number is as deep as that says, by those that are told and have one; one that is alike to none is one
    below those that are set larger.
    """
    ranks = {told: rank for rank, told in enumerate(sorted({block.told for block in found if block.told > 0}), 1)}
    usual: dict[Look, Counter[int]] = {}
    offsets: Counter[int] = Counter()
    for block in found:
        if block.told > 0:
            block.level = ranks[block.told]
            usual.setdefault(look_of(block), Counter())[block.level] += 1
            if depths[id(block)]:
                offsets[block.level - depths[id(block)]] += 1
    levels = {look: counts.most_common(1)[0][0] for look, counts in usual.items()}
    for look in sorted({look_of(block) for block in found} - levels.keys(), reverse=True):
        levels[look] = max((level for other, level in levels.items() if other > look), default=0) + 1
    for block in found:
        if block.told > 0:
            continue
        if offsets and depths[id(block)]:
            block.level = max(1, depths[id(block)] + offsets.most_common(1)[0][0])
        else:
            block.level = levels[look_of(block)]
