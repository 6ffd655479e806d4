"""How long something is kept, as people write it: ``30d``, ``12h`` or ``forever``."""

import re

FOREVER = 0
MOST_HOURS = 100 * 365 * 24
_FORM = re.compile(r"(\d{1,9})([dh])", re.ASCII)


def hours_of(text: str) -> int:
    """Read a duration.

    :returns: hours, or :data:`FOREVER` for ``forever`` and ``0``.
    :raises ValueError: if it is something else, or longer than a hundred years.
    """
    given = text.strip().lower()
    if given in ("forever", "0"):
        return FOREVER
    match = _FORM.fullmatch(given)
    if match is None:
        raise ValueError(f"`{text[:40]}` is no duration; use whole days or hours like 30d or 12h, or forever")
    hours = int(match[1]) * (24 if match[2] == "d" else 1)
    if not 1 <= hours <= MOST_HOURS:
        raise ValueError(f"`{text[:40]}` is not between 1h and {MOST_HOURS // 24}d; forever has no end")
    return hours


def shown(hours: int) -> str:
    """Return a duration as it may be given."""
    if hours == FOREVER:
        return "forever"
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"
