"""Reading order of lines that an engine found without saying how they belong together: recursive XY-cut.

G. Nagy, S. Seth: Hierarchical representation of optically scanned documents, ICPR 1984.
"""

from collections.abc import Callable, Sequence

from docrefinery.engine.lines import Line

# A gap between columns is wider than one between words, in heights of a line.
_COLUMN = 1.0
_DEEPEST = 50


def reading_order(lines: Sequence[Line], depth: int = 0) -> list[Line]:
    """Return lines column by column, each from its top: cut where a white strip goes all the way through."""
    if len(lines) < 2 or depth > _DEEPEST:
        return sorted(lines, key=lambda line: (line.top, line.left))
    height = sorted(line.height for line in lines)[len(lines) // 2]
    # Columns first, but only where both sides have several lines: a row of a table is no two columns.
    for parts in (_columns(lines, _COLUMN * height), _rows(lines)):
        if len(parts) > 1:
            return [line for part in parts for line in reading_order(part, depth + 1)]
    return sorted(lines, key=lambda line: (line.top, line.left))


def _columns(lines: Sequence[Line], gap: float) -> list[list[Line]]:
    parts = _cut(sorted(lines, key=lambda line: line.left), lambda line: (line.left, line.right), gap)
    return parts if len(parts) > 1 and all(_is_column(part) for part in parts) else [list(lines)]


def _is_column(part: Sequence[Line]) -> bool:
    return len(part) > 2 and max(line.bottom for line in part) - min(line.top for line in part) > 2 * part[0].height


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Part lines at the widest gap between rows, so that what stands above columns is taken off first."""
    ordered = sorted(lines, key=lambda line: line.top)
    rows = _cut(ordered, lambda line: (line.top, line.bottom), 0)
    if len(rows) < 2:
        return rows
    ends = [max(line.bottom for line in row) for row in rows]
    gaps = [rows[i + 1][0].top - ends[i] for i in range(len(rows) - 1)]
    at = gaps.index(max(gaps)) + 1
    return [[line for row in part for line in row] for part in (rows[:at], rows[at:])]


def _cut(ordered: Sequence[Line], extent: Callable[[Line], tuple[float, float]], gap: float) -> list[list[Line]]:
    parts: list[list[Line]] = []
    end = float("-inf")
    for line in ordered:
        start, stop = extent(line)
        if not parts or start - end > gap:
            parts.append([])
        parts[-1].append(line)
        end = max(end, stop)
    return parts
