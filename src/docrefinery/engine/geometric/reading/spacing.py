"""Words of letterspaced text: where every letter is far from the next, a space is where one is farther."""

from typing import Any

import numpy as np

_FEWEST_WORDS = 8
_LETTERS_A_WORD = 2.2
"""Below so many letters a word, on average, the gaps are no spaces."""
_LETTERS = 0.6
_ALONE = 0.25
_LAST_LATIN = 0x24F
_ON_GRID = 0.2
_MOSTLY = 0.85
_WIDER = 0.2
"""In em: by how much a space is wider than the gaps between letters."""


def respaced(starts: Any, opens: Any, codes: Any, along: Any, em: Any) -> tuple[Any, Any]:
    """Return where words begin, and whether each opens a segment, once letterspaced segments are read as what they are.

    :param starts: indices of the characters that begin a word.
    :param opens: for each word, whether it begins a segment.
    :param codes: code points of the characters.
    :param along: (n, 2) where characters begin and end along their line.
    :param em: size of each character.
    """
    firsts = np.flatnonzero(opens)
    counts = np.diff(np.r_[firsts, len(starts)])
    bounds = np.r_[starts[firsts], len(along)]
    lengths = np.diff(bounds)
    odd = np.flatnonzero((counts >= _FEWEST_WORDS) & (lengths < _LETTERS_A_WORD * counts))
    if not len(odd):
        return starts, opens
    begins = np.zeros(len(along), bool)
    begins[starts] = True
    for segment in odd:
        low, high = bounds[segment], bounds[segment + 1]
        if _stand_alone(codes[low:high], begins[low:high]):
            begins[low:high] = _begins(along[low:high], em[low:high])
    renewed = np.flatnonzero(begins)
    return renewed, np.isin(renewed, starts[firsts])


def _stand_alone(codes: Any, begins: Any) -> bool:
    """Whether words are mostly single letters of an alphabet: signs and ideographs may well stand one by one."""
    letters = ((codes | 0x20) >= ord("a")) & (codes <= _LAST_LATIN)
    alone = begins & np.r_[begins[1:], True]
    return bool(letters.mean() > _LETTERS and (letters & alone).sum() > _ALONE * letters.sum())


def _begins(along: Any, em: Any) -> Any:
    middles = along.mean(axis=1)
    steps = np.diff(middles)
    pitch = np.median(steps[steps < 1.5 * np.median(steps)]) if len(steps) else 0.0
    if pitch > 0 and (np.abs(steps / pitch - np.round(steps / pitch)) < _ON_GRID).mean() > _MOSTLY:
        spaces = np.round(steps / pitch) > 1
    else:
        gaps = (along[1:, 0] - along[:-1, 1]) / np.minimum(em[1:], em[:-1])
        spaces = gaps > np.median(gaps) + _WIDER
    return np.r_[True, spaces]
