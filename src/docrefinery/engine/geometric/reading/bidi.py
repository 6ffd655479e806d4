"""Text that runs leftwards: Hebrew, Arabic and their kin, brought into the order in which it is read.

Files have it in either order, and pdfium turns round some of it; so where the letters stand decides. Within a line that
runs leftwards, numbers and words of other scripts run rightwards (Unicode Standard Annex 9, rules L1 and L2, undone).
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_RANGES = ((0x0590, 0x08FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFE), (0x10800, 0x10FFF), (0x1E800, 0x1EFFF))
_SHARE = 0.3
"""Share of a line's letters from which it runs leftwards."""
_SPACE = 0.22
"""In em: gaps between letters of joined scripts are no wider."""
_GAP = 1.2


def runs_leftwards(codes: Any) -> Any:
    """Return which code points are letters of scripts that run leftwards."""
    found = np.zeros(len(codes), bool)
    for first, last in _RANGES:
        found |= (codes >= first) & (codes <= last)
    return found


def logical_order(codes: Any, along: Any, same_line: Any, gap: Any, em: Any) -> tuple[Any, Any] | None:
    """Return the order in which characters are to be read, and whether a space is before each; ``None`` if as it is.

    :param codes: code points (n).
    :param along: (n, 2) where characters begin and end along their line.
    :param same_line: (n - 1) whether a character is in the line of the one before it.
    :param gap: (n - 1) how far it is from that, in em.
    :param em: (n) their sizes.
    """
    leftwards = runs_leftwards(codes)
    if not leftwards.any():
        return None
    order = np.arange(len(codes))
    spaced = np.full(len(codes), -1)
    bounds = [0, *(np.flatnonzero(~(same_line & (gap < _GAP))) + 1).tolist(), len(codes)]
    for start, end in itertools.pairwise(bounds):
        if leftwards[start:end].mean() >= _SHARE:
            line, spaces = _line(codes, along, em, leftwards, range(start, end))
            order[start:end] = line
            spaced[start:end] = spaces
    return order, spaced


def _line(codes: Any, along: Any, em: Any, leftwards: Any, members: range) -> tuple[list[int], list[bool]]:
    ordered: list[int] = []
    spaces: list[bool] = []
    for word in _words(_visual(along, em, members), leftwards):
        read = _read(word, codes, leftwards)
        ordered += read
        spaces += [True, *[False] * (len(read) - 1)]
    return ordered, spaces


def _visual(along: Any, em: Any, members: range) -> list[list[int]]:
    """Return the words of a line from left to right, each with its characters from left to right."""
    words: list[list[int]] = []
    for index in sorted(members, key=lambda index: (float(along[index].sum()), index)):
        if words and along[index, 0] - along[words[-1][-1], 1] <= _SPACE * em[index]:
            words[-1].append(index)
        else:
            words.append([index])
    return words


def _words(visual: Sequence[list[int]], leftwards: Any) -> Iterator[list[int]]:
    """Yield words from right to left, but runs of words of other scripts from left to right."""
    run: list[list[int]] = []
    for word in reversed(visual):
        if any(leftwards[index] for index in word):
            yield from reversed(run)
            run = []
            yield word
        else:
            run.append(word)
    yield from reversed(run)


def _read(word: Sequence[int], codes: Any, leftwards: Any) -> list[int]:
    """Return a word's characters as they are read: from right to left, its numbers from left to right."""
    if not any(leftwards[index] for index in word):
        return list(word)
    read: list[int] = []
    digits: list[int] = []
    for index in reversed(word):
        if ord("0") <= codes[index] <= ord("9") or 0x660 <= codes[index] <= 0x669:
            digits.insert(0, index)
            continue
        read += digits
        digits = []
        read.append(index)
    return read + digits
