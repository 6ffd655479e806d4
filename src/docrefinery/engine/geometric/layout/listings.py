"""Program listings with numbered lines: the numbers are the listing's, not the program's."""

import re
from collections.abc import Sequence

from docrefinery.engine.geometric.layout.lines import Line

_NUMBER = re.compile(r"(\d{1,4})(?:\s+|$)")
_SIGNS = re.compile(r"[{}();=<>]")
_FEWEST = 3
_MONO = 0.5


def mark_listings(lines: Sequence[Line]) -> None:
    """Take the numbers off the lines of each listing, and mark all of them as set in a fixed pitch.

    :param lines: of one column, from top to bottom.
    """
    run: list[Line] = []
    last = 0
    for line in [*lines, None]:
        number = _number(line) if line is not None else None
        if line is not None and number is not None and (not run or number == last + 1):
            run.append(line)
        else:
            _mark(run)
            run = [line] if line is not None and number is not None else []
        last = number or 0


def _number(line: Line) -> int | None:
    match = _NUMBER.match(line.text)
    if match is None or (line.parts == [] and match[1] != line.text):
        return None
    return int(match[1])


def _is_program(lines: Sequence[Line]) -> bool:
    """Whether lines are of a fixed pitch, or have the signs of programs after numbers that are set smaller."""
    mono = sum(line.mono for line in lines)
    signs = sum(line.small_start and bool(_SIGNS.search(line.text)) for line in lines)
    return max(mono, signs) >= _MONO * len(lines)


def _mark(run: Sequence[Line]) -> None:
    code = [line for line in run if line.parts]
    if len(run) < _FEWEST or not code or not _is_program(code):
        return
    for line in run:
        line.text = _NUMBER.sub("", line.text, count=1)
        line.mono = True
        if line.parts:
            line.left = line.parts[1]
        line.references = []
        line.gap = 0.0
