"""Whether a font says what its letters mean.

A font without a Unicode map leaves pdfium to guess from the names or numbers of its glyphs, often rightly: so text that
was guessed is looked at, and is garbled only if it does not look like text.
"""

from typing import Any

import numpy as np

_FEWEST = 20
_COMMON = 0.85
_VOWELS = (0.2, 0.65)
"""Share of vowels among Latin letters, in languages that are written with them."""
_PLAIN = np.frombuffer(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:()[]-+=%/'\"", np.uint8)
_IS_VOWEL = np.frombuffer(b"aeiouyAEIOUY", np.uint8)


def garbled_share(codes: Any, unmapped: Any, nameless: int) -> float:
    """Return which share (0 to 1) of a page's characters is garbled.

    :param codes: code points of the characters (n).
    :param unmapped: whether the font has no Unicode map for each of them (n).
    :param nameless: how many more are drawn that have no code point at all.
    """
    total = len(codes) + nameless
    if not total:
        return 0.0
    odd = (codes == 0xFFFD) | ((codes >= 0xE000) & (codes <= 0xF8FF))
    if not _is_text(codes[unmapped & ~odd]):
        odd |= unmapped
    return (int(odd.sum()) + nameless) / total


def _is_text(codes: Any) -> bool:
    if len(codes) < _FEWEST:
        return True
    if np.isin(codes, _PLAIN).mean() < _COMMON:
        return False
    letters = codes[(((codes | 0x20) >= ord("a")) & ((codes | 0x20) <= ord("z")))]
    if len(letters) < _FEWEST:
        return True
    return bool(_VOWELS[0] <= np.isin(letters, _IS_VOWEL).mean() <= _VOWELS[1])
