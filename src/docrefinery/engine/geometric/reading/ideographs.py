"""Ideographs that are written downwards: each below the one before it, in columns from right to left."""

import msgspec
import numpy as np

from docrefinery.engine.geometric.model import Style
from docrefinery.engine.geometric.reading.chars import Chars

_RANGES = ((0x3000, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF))
_STEP = (0.6, 1.8)
"""In em: how far apart the middles of two are."""
_ASIDE = 0.3


def stand_ideographs(chars: Chars, styles: list[Style]) -> None:
    """Give ideographs that follow each other downwards a style that runs downwards, made if it is not there."""
    wide = np.zeros(len(chars.codes), bool)
    for first, last in _RANGES:
        wide |= (chars.codes >= first) & (chars.codes <= last)
    if np.count_nonzero(wide) < 2:
        return
    em = np.array([max(style.size, 1.0) for style in styles])[chars.styles]
    x, y = chars.boxes[:, [0, 2]].mean(axis=1), chars.boxes[:, [1, 3]].mean(axis=1)
    down, aside = np.diff(y) / em[1:], np.abs(np.diff(x)) / em[1:]
    pairs = wide[1:] & wide[:-1] & (aside < _ASIDE) & (down > _STEP[0]) & (down < _STEP[1])
    standing = np.r_[pairs, False] | np.r_[False, pairs]
    for number in np.unique(chars.styles[standing]).tolist():
        style = msgspec.structs.replace(styles[number], direction=90)
        if style not in styles:
            styles.append(style)
        chars.styles[standing & (chars.styles == number)] = styles.index(style)
