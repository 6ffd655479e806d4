"""The parts of a path: what it strokes, line by line, and what it fills, outline by outline."""

import ctypes
import itertools
from typing import NamedTuple

import pypdfium2.raw as pdfium_c

from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.reading import pdfium

# A path of more segments is a drawing. A table's whole grid has less.
_MOST_SEGMENTS = 2_000
_FRAME = (16, 32)
"""Segments of a rounded rectangle: four corners, or eight halves, and three or four sides."""
_STRAIGHT = 1.0
"""In points: what a line may stray from being horizontal or vertical."""

Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]


class Outline(NamedTuple):
    """Something painted: its bounding box, still in the PDF's coordinates, and its colour."""

    box: Box
    colour: int
    filled: bool
    curved: bool
    frame: bool = False


def times(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that does first the one, then the other (PDF 32000-1, 8.3.4)."""
    a, b, c, d, e, f = first
    g, h, i, j, k, l = second  # noqa: E741
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l


def subpaths(path: int, matrix: Matrix, *, filled: bool, colour: int) -> list[Outline] | None:
    """Return a path's straight parts, or ``None`` if it has curves or slanted lines, or is too long to look at."""
    count = pdfium.count_segments(path)
    if count > _MOST_SEGMENTS:
        return None
    lines = _lines(path, count, matrix)
    if lines is None:
        return None
    if filled:
        return [Outline(_around(line), colour, filled=True, curved=False) for line in lines if len(line) > 1]
    return [
        Outline(_around([start, end]), colour, filled=False, curved=False)
        for line in lines
        for start, end in itertools.pairwise(line)
        if start != end
    ]


def is_frame(path: int) -> bool:
    """Whether a path has the corners and sides of a rectangle with rounded corners."""
    count = pdfium.count_segments(path)
    if not _FRAME[0] <= count <= _FRAME[1]:
        return False
    kinds = [pdfium.segment_kind(pdfium.path_segment(path, index)) for index in range(count)]
    # pdfium counts the three points of a curve.
    return kinds.count(pdfium_c.FPDF_SEGMENT_BEZIERTO) in (12, 24) and kinds.count(pdfium_c.FPDF_SEGMENT_LINETO) >= 3


def _lines(path: int, count: int, matrix: Matrix) -> list[list[Point]] | None:
    a, b, c, d, e, f = matrix
    at = (ctypes.c_float * 2)()
    x_at, y_at = ctypes.addressof(at), ctypes.addressof(at) + 4
    lines: list[list[Point]] = []
    for index in range(count):
        segment = pdfium.path_segment(path, index)
        kind = pdfium.segment_kind(segment)
        pdfium.segment_point(segment, x_at, y_at)
        x, y = at
        point = a * x + c * y + e, b * x + d * y + f
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO or not lines:
            lines.append([point])
        elif kind == pdfium_c.FPDF_SEGMENT_BEZIERTO or not _is_straight(lines[-1][-1], point):
            return None
        else:
            lines[-1].append(point)
        if pdfium.segment_closes(segment) and _is_straight(point, lines[-1][0]):
            lines[-1].append(lines[-1][0])
    return lines


def _is_straight(start: Point, end: Point) -> bool:
    return abs(start[0] - end[0]) <= _STRAIGHT or abs(start[1] - end[1]) <= _STRAIGHT


def _around(points: list[Point]) -> Box:
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return min(xs), min(ys), max(xs), max(ys)
