"""The characters of a page as arrays."""

from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from docrefinery.engine.geometric.reading import pdfium
from docrefinery.engine.geometric.reading.garbling import garbled_share
from docrefinery.engine.geometric.reading.place import Place
from docrefinery.engine.geometric.reading.styles import Styles
from docrefinery.engine.geometric.reading.tags import tag_of

# A page with more is none that anybody reads; what comes after is left out, and said.
MOST_CHARS = 200_000

# What pdfium makes of a hyphen at a line's end.
_HYPHEN = 2
_SPACES = np.array([0, 9, 10, 11, 12, 13, 32, 0xA0, *range(0x2000, 0x200C), 0x202F, 0x205F, 0x3000, 0xFEFF], np.uint32)


@dataclass(frozen=True, slots=True)
class Chars:
    """Characters that are on the page, in the order of the file; every array has one entry for each.

    :param codes: their code points.
    :param boxes: (n, 4) left, top, right, bottom in points from the top left corner of the page.
    :param styles: numbers of their styles.
    :param tags: the marked content that they belong to, as :func:`tag_of` tells it.
    :param spaced: whether there is a space or a line's end before it.
    :param cut: whether there were more than are read.
    :param garbled: share of them whose font does not say what they mean.
    """

    codes: Any
    boxes: Any
    styles: Any
    tags: Any
    spaced: Any
    garbled: float
    cut: bool


def read_chars(text_page: int, place: Place, styles: Styles) -> Chars:
    """Return the characters of a page; whoever calls holds pdfium's lock."""
    found = max(0, pdfium.count_chars(text_page))
    count = min(found, MOST_CHARS)
    codes = np.fromiter(map(pdfium.char_code, repeat(text_page), range(count)), np.uint32, count)
    codes[codes == _HYPHEN] = ord("-")
    _pair_surrogates(codes)
    objects = np.array([*map(pdfium.char_object, repeat(text_page), range(count))], dtype=object)
    raw = np.zeros((count, 4), np.float32)
    at = raw.ctypes.data
    for _ in map(pdfium.char_box, repeat(text_page), range(count), range(at, at + 16 * count, 16)):
        pass
    # FS_RECTF is left, top, right, bottom, and counts from below.
    boxes = place.boxes(raw[:, [0, 3, 2, 1]].astype(np.float64))
    space = np.isin(codes, _SPACES) | (objects == None)  # noqa: E711
    on_page = _on_page(boxes, place)
    drawn = ~space & on_page & (codes >= 32) & (codes != 127)
    kept = np.flatnonzero(drawn)
    # Where a line ends for pdfium is no word's end yet: some writers place each letter for itself.
    spaces_before = np.cumsum(space & (codes != 10) & (codes != 13))[kept]
    spaced = np.diff(spaces_before, prepend=-1) > 0
    numbers, tags, unmapped = _by_object(text_page, objects, kept, styles)
    nameless = int(np.count_nonzero(~space & on_page & (codes < 32)))
    garbled = garbled_share(codes[kept], unmapped, nameless)
    return Chars(codes[kept], boxes[kept], numbers, tags, spaced, garbled, cut=count < found)


def _pair_surrogates(codes: Any) -> None:
    """Put the code point of two halves, which pdfium tells as two characters, in the place of the first one."""
    high = (codes & 0xFFFFFC00) == 0xD800
    low = (codes & 0xFFFFFC00) == 0xDC00
    pairs = np.flatnonzero(high[:-1] & low[1:])
    whole = 0x10000 + ((codes[pairs] & 0x3FF) << 10) + (codes[pairs + 1] & 0x3FF)
    codes[high | low] = 0xFFFD
    codes[pairs] = whole
    # Left out, and no space: what follows belongs to the same word.
    codes[pairs + 1] = 127


def _on_page(boxes: Any, place: Place) -> Any:
    left, top, right, bottom = boxes.T
    # Comparisons with NaN are false: such a box is nowhere.
    return (right >= left) & (bottom > top) & (right > 0) & (left < place.width) & (bottom > 0) & (top < place.height)


def _by_object(text_page: int, objects: Any, kept: Any, styles: Styles) -> tuple[Any, Any, Any]:
    """Ask once for each run of characters of one text object."""
    here = objects[kept]
    starts = np.flatnonzero(np.r_[True, here[1:] != here[:-1]]) if len(here) else np.zeros(0, int)
    runs = np.diff(np.r_[starts, len(here)])
    known: dict[int, tuple[int, int, bool]] = {}
    for start in starts:
        text, char = here[start], int(kept[start])
        if text not in known:
            unmapped = pdfium.char_unmapped(text_page, char) == 1
            known[text] = styles.of(text, char), tag_of(text), unmapped
    found = np.array([known[here[start]] for start in starts], np.int64).reshape(-1, 3)
    numbers, tags, unmapped = np.repeat(found, runs, axis=0).T
    return numbers, tags, unmapped.astype(bool)
