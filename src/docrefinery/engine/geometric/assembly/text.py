"""Lines to text: hyphens, ligatures, and characters that no encoding can write."""

import re
from collections.abc import Iterable, Sequence, Set as AbstractSet

from docrefinery.engine.geometric.layout.lines import Line

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st", "\u00ad": "", "\u200b": ""}
)
_LIGATURE = re.compile(f"[{''.join(map(chr, _LIGATURES))}]")
"""Looking for one takes a tenth of the time of a translation, which looks up each letter."""
_HYPHENS = "-\u2010\u00ad"
_BROKEN = re.compile(rf"(\w+)[{_HYPHENS}]$")
_LONGEST_WORD = 64
_SUSPENDED = ("and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "en", "of")
"""After a hyphen these words are words, and the hyphen stands for what both sides have in common."""
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


def compounds(lines: Iterable[Line]) -> set[str]:
    """Return words with a hyphen, in lower case, that a document never has without it.

    What ends a line says nothing: its hyphen may be of that line.
    """
    words: set[str] = set()
    for line in lines:
        words.update(_WORD.findall(line.text.lower())[:-1])
    return {word for word in words if "-" in word and word.replace("-", "", 1) not in words}


def clean(text: str) -> str:
    """Return text without ligatures and invisible characters, and with one space between words."""
    if not text.isascii() and _LIGATURE.search(text):
        text = text.translate(_LIGATURES)
    return " ".join(text.split())


def join(lines: Sequence[Line], hyphenated: AbstractSet[str]) -> str:
    """Return the text of a paragraph.

    :param hyphenated: the document's compounds: a hyphen at a line's end may belong to one.
    """
    text = ""
    for line in lines:
        text = append(text, line.text, hyphenated)
    return clean(text)


def append(text: str, following: str, hyphenated: AbstractSet[str]) -> str:
    """Return two parts of a paragraph as one, the first of which ended a line."""
    if not text:
        return following
    # The end alone: a paragraph may have any number of lines.
    broken = _BROKEN.search(text[-_LONGEST_WORD:]) if text[-1] in _HYPHENS else None
    if broken and following[:1].isalpha():
        return _mended(text, broken[1], following, hyphenated)
    if broken and following[:1].isdigit():
        return text + following
    if _CJK.match(text[-1]) and _CJK.match(following[:1]):
        return text + following
    return f"{text} {following}"


def _mended(text: str, before: str, following: str, hyphenated: AbstractSet[str]) -> str:
    after = _WORD.match(following)
    if after is not None and after[0] in _SUSPENDED:
        return f"{text} {following}"
    if after is None or not following[0].islower() or before[-1].isdigit():
        return text + following
    first, second = before.lower(), after[0].lower()
    return text + following if f"{first}-{second}" in hyphenated else text[:-1] + following
