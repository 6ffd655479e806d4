"""The marks of a list's items."""

import re
from typing import NamedTuple

_BULLETS = "•◦▪▫‣⁃∙●○■□◆◇►▸➢➤✓✔★☐☑–—−∗*·-\uf0b7\uf0a7\uf0d8\uf076\uf0fc\uf06e\uf02d\uf0a8"
_BULLET = re.compile(rf"([{re.escape(_BULLETS)}]|\bo)\s+(?=\S)")
_NUMBER = re.compile(
    r"(?P<open>[(\[])?(?:(?P<digits>\d{1,3})|(?P<roman>[ivx]{1,5})|(?P<letter>[A-Za-z]))(?(open)[)\]]|[.)])\s+(?=\S)"
)


class Marker(NamedTuple):
    """A mark.

    :param text: as it stands there.
    :param kind: ``digits``, ``roman``, ``letter`` or ``bullet``.
    :param value: of a number, from 1; 0 for a bullet.
    :param length: how much of the line's text it takes, with the space after it.
    """

    text: str
    kind: str
    value: int
    length: int


def bullet(text: str) -> Marker | None:
    """Return the bullet that a text begins with."""
    match = _BULLET.match(text)
    return Marker(match[1], "bullet", 0, match.end()) if match else None


def number(text: str) -> Marker | None:
    """Return the number or letter that a text begins with, if it is written as one of a list."""
    match = _NUMBER.match(text)
    if match is None:
        return None
    mark = match[0].strip()
    if match["digits"]:
        return Marker(mark, "digits", int(match["digits"]), match.end())
    if match["roman"]:
        return Marker(mark, "roman", _roman(match["roman"]), match.end())
    return Marker(mark, "letter", ord(match["letter"].lower()) - ord("a") + 1, match.end())


def marker(text: str) -> Marker | None:
    """Return the mark that a text begins with."""
    return bullet(text) or number(text)


def _roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10}[letter] for letter in text]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))
