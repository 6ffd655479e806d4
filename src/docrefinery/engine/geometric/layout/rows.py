"""Lines of a column that stand in one row: a number and its heading, an entry and its page, cells of a table."""

import re
from collections.abc import Sequence
from itertools import pairwise

from docrefinery.engine.geometric.layout.lines import Line, Reference
from docrefinery.engine.geometric.tables.model import Table

_SAME_ROW = 0.6
_MOST = 0.8
_LINE = 1.2
_LARGEST = 10.0
_SMALLER = 0.85
_NEAR = 1.2
_GLUED = 0.1
_PART = 0.6
"""In em."""
_NUMBER = re.compile(r"[\W\d]*+\w?[\W\d]*+")


def rows(lines: Sequence[Line]) -> list[Line]:
    """Return a column's lines with those of one row joined, from left to right."""
    joined: list[list[Line]] = []
    for line in lines:
        if joined and _same_row(joined[-1], line):
            joined[-1].append(line)
        else:
            joined.append([line])
    return [_join(row) if len(row) > 1 else row[0] for row in joined]


def table_rows(table: Table) -> list[Line]:
    """Return a line for each row of a table, with the texts of its cells."""
    lines = []
    for row in range(table.rows):
        cells = [cell for cell in table.cells if cell.row == row and cell.text]
        if not cells:
            continue
        top, bottom = min(cell.top for cell in cells), max(cell.bottom for cell in cells)
        left, right = min(cell.left for cell in cells), max(cell.right for cell in cells)
        text = " ".join(cell.text for cell in cells)
        size = min(max((bottom - top) / _LINE, 1.0), _LARGEST)
        lines.append(Line(text, left, top, right, bottom, base=bottom, style=0, size=size, single=True))
    return lines


def _same_row(row: Sequence[Line], line: Line) -> bool:
    last = row[-1]
    overlap = min(last.bottom, line.bottom) - max(last.top, line.top)
    if overlap <= _SAME_ROW * min(last.height, line.height) or line.left < last.right - 0.5 * last.height:
        return False
    # A note on the margin is in the row of a heading, and no part of it; a number before a line, or a mark, is.
    alike = min(last.size, line.size) > _SMALLER * max(last.size, line.size)
    near = line.left - last.right < _NEAR * max(last.size, line.size)
    return alike or near or bool(_NUMBER.fullmatch(last.text) or _NUMBER.fullmatch(line.text))


def _join(row: Sequence[Line]) -> Line:
    main = max(row, key=lambda line: len(line.text))
    text, references = "", []
    gaps = [0.0, *((right.left - left.right) / max(main.size, 1.0) for left, right in pairwise(row))]
    for line, gap in zip(row, gaps, strict=True):
        text += " " if text and gap > _GLUED else ""
        references += [Reference(each.start + len(text), each.end + len(text), each.uri) for each in line.references]
        text += line.text
    return Line(
        text,
        row[0].left,
        min(line.top for line in row),
        max(line.right for line in row),
        max(line.bottom for line in row),
        base=main.base,
        style=main.style,
        size=main.size,
        bold=_mostly(row, [line.bold for line in row]),
        italic=_mostly(row, [line.italic for line in row]),
        mono=_mostly(row, [line.mono for line in row]),
        first=row[0].first,
        raised=row[0].raised,
        marks=sum(line.marks for line in row) + sum(_is_mark(line, main) for line in row[1:]),
        role=main.role,
        element=main.element,
        region=row[0].region,
        references=references,
        gap=max(gaps),
        small_start=row[0].size < 0.95 * main.size,
        parts=_parts(row, gaps),
    )


def _parts(row: Sequence[Line], gaps: Sequence[float]) -> list[float]:
    """Return where the parts of a row begin; what stands close to the one before is none of its own."""
    parts = [
        part
        for at, (line, gap) in enumerate(zip(row, gaps, strict=True))
        if at == 0 or gap > _PART
        for part in (line.parts or [line.left])
    ]
    return parts if len(parts) > 1 else []


def _is_mark(line: Line, main: Line) -> bool:
    return bool(line.raised) or (line.size < _SMALLER * main.size and line.base < main.base)


def _mostly(row: Sequence[Line], flags: Sequence[bool]) -> bool:
    letters = sum(len(line.text) for line in row)
    return sum(len(line.text) for line, flag in zip(row, flags, strict=True) if flag) > _MOST * letters
