"""The marks of a list's items."""

import re
from typing import NamedTuple

_BULLETS = "•◦▪▫‣⁃∙●○■□◆◇►▸▶▷◉⦁❖➔➢➤✓✔★☐☑–—−∗*·-\uf0b7\uf0a7\uf0d8\uf076\uf0fc\uf06e\uf02d\uf0a8"
_BULLET = re.compile(rf"([{re.escape(_BULLETS)}])\s+(?=\S)")
_NUMBER = re.compile(
    r"(?P<open>[(\[])?(?:(?P<digits>\d{1,3})|(?P<roman>[ivx]{1,5})|(?P<letter>[A-Za-z]))(?(open)[)\]]|[.)])\s+(?=\S)"
)


_DEEP = re.compile(r"((?:\d{1,2}\.){1,3})(\d{1,2})\.?\s+(?=\S)")


class Marker(NamedTuple):
    """A mark.

    :param text: as it stands there.
    :param kind: ``digits``, ``roman``, ``letter`` or ``bullet``.
    :param value: of a number, from 1; 0 for a bullet.
    :param outer: the numbers of the items around it, as in ``1.2.``
    """

    text: str
    kind: str
    value: int
    outer: str = ""

    def is_next_to(self, other: "Marker | None") -> bool:
        """Whether two marks count one list."""
        if other is None or other.kind != self.kind or other.outer != self.outer:
            return False
        return abs(other.value - self.value) == 1


def bullet(text: str) -> Marker | None:
    """Return the bullet that a text begins with."""
    match = _BULLET.match(text)
    return Marker(match[1], "bullet", 0) if match else None


def number(text: str) -> Marker | None:
    """Return the number or letter that a text begins with, if it is written as one of a list."""
    if match := _DEEP.match(text):
        return Marker(match[0].strip(), "digits", int(match[2]), match[1])
    match = _NUMBER.match(text)
    if match is None:
        return None
    mark = match[0].strip()
    if match["digits"]:
        return Marker(mark, "digits", int(match["digits"]))
    if match["roman"]:
        return Marker(mark, "roman", _roman(match["roman"]))
    return Marker(mark, "letter", ord(match["letter"].lower()) - ord("a") + 1)


def _roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10}[letter] for letter in text]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))
