"""What is drawn on a page besides text: rules, shapes, and where its images are."""

import ctypes
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium_c

from docrefinery.engine.geometric.model import Box, Rule, Shape
from docrefinery.engine.geometric.reading import pdfium
from docrefinery.engine.geometric.reading.paths import Matrix, Outline, is_frame, subpaths, times
from docrefinery.engine.geometric.reading.place import Place

# Maps and plots have more; they are pictures as a whole, not tables.
MOST_OBJECTS = 100_000
_DEEPEST_FORM = 8
_THICKEST_RULE = 3.0
_SHORTEST_RULE = 4.0
_LIGHT = 0xF0
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(slots=True)
class Drawings:
    """What is drawn on one page.

    :param crowded: there was more than could be looked at.
    """

    rules: list[Rule] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    images: list[Box] = field(default_factory=list)
    crowded: bool = False


def read_drawings(page: int, place: Place) -> Drawings:
    """Return what is drawn on a page; whoever calls holds pdfium's lock."""
    reader = _Reader()
    reader.read(_objects(page, pdfium.count_objects, pdfium.page_object), _IDENTITY, 0)
    if reader.seen > MOST_OBJECTS:
        return Drawings(images=_visible(reader.images, place), crowded=True)
    drawings = Drawings(images=_visible(reader.images, place))
    outlines = reader.outlines
    for box, outline in zip(_boxes([each.box for each in outlines], place), outlines, strict=True):
        _sort(drawings, box, outline, place)
    return drawings


def _sort(drawings: Drawings, box: Box, outline: Outline, place: Place) -> None:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if right < 0 or bottom < 0 or left > place.width or top > place.height or not width + height > 0:
        return
    if min(width, height) > _THICKEST_RULE or outline.curved:
        fill = -1 if outline.curved or not outline.filled else outline.colour
        drawings.shapes.append(Shape(*box, fill=fill, frame=outline.frame))
    elif max(width, height) >= _SHORTEST_RULE:
        light = all(outline.colour >> shift & 0xFF >= _LIGHT for shift in (0, 8, 16))
        drawings.rules.append(Rule(*box, horizontal=width >= height, light=light))


def _visible(boxes: list[Box], place: Place) -> list[Box]:
    return [
        (max(0.0, left), max(0.0, top), min(place.width, right), min(place.height, bottom))
        for left, top, right, bottom in _boxes(boxes, place)
        if left < place.width and top < place.height and right > 0 and bottom > 0
    ]


def _boxes(boxes: list[Box], place: Place) -> list[Box]:
    if not boxes:
        return []
    placed: Any = place.boxes(np.array(boxes, np.float64)).round(2)
    return [tuple(box) for box in placed.tolist()]


def _objects(holder: int, count: Any, get: Any) -> Iterator[int]:
    for index in range(max(0, count(holder))):
        if each := get(holder, index):
            yield each


class _Reader:
    def __init__(self) -> None:
        self.outlines: list[Outline] = []
        self.images: list[Box] = []
        self.seen = 0
        self._matrix = (ctypes.c_float * 6)()
        self._matrix_at = ctypes.addressof(self._matrix)
        self._bounds = (ctypes.c_float * 4)()
        self._bounds_at = [ctypes.addressof(self._bounds) + 4 * index for index in range(4)]
        self._colour = array("I", [0, 0, 0, 255])
        self._colour_at = [self._colour.buffer_info()[0] + self._colour.itemsize * index for index in range(4)]
        self._mode = (ctypes.c_int * 2)()
        self._mode_at = [ctypes.addressof(self._mode) + 4 * index for index in range(2)]

    def read(self, objects: Iterator[int], matrix: Matrix, depth: int) -> None:
        for each in objects:
            kind = pdfium.object_kind(each)
            if kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
                continue
            self.seen += 1
            if self.seen > MOST_OBJECTS:
                return
            if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
                self._path(each, matrix)
            elif kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
                self.images.append(self._box(each, matrix))
            elif kind == pdfium_c.FPDF_PAGEOBJ_FORM and depth < _DEEPEST_FORM:
                inner = times(self._own_matrix(each), matrix)
                self.read(_objects(each, pdfium.count_form_objects, pdfium.form_object), inner, depth + 1)

    def _own_matrix(self, each: int) -> Matrix:
        pdfium.object_matrix(each, self._matrix_at)
        a, b, c, d, e, f = self._matrix
        return a, b, c, d, e, f

    def _box(self, each: int, matrix: Matrix) -> Box:
        if not pdfium.object_bounds(each, *self._bounds_at):
            return 0.0, 0.0, 0.0, 0.0
        left, bottom, right, top = self._bounds
        if matrix is _IDENTITY:
            return left, bottom, right, top
        a, b, c, d, e, f = matrix
        xs = [a * x + c * y + e for x in (left, right) for y in (bottom, top)]
        ys = [b * x + d * y + f for x in (left, right) for y in (bottom, top)]
        return min(xs), min(ys), max(xs), max(ys)

    def _path(self, path: int, matrix: Matrix) -> None:
        pdfium.draw_mode(path, *self._mode_at)
        filled, stroked = bool(self._mode[0]), bool(self._mode[1])
        if not filled and not stroked:
            return
        (pdfium.fill_colour if filled else pdfium.stroke_colour)(path, *self._colour_at)
        red, green, blue, alpha = self._colour
        if not alpha:
            return
        colour = red << 16 | green << 8 | blue
        box = self._box(path, matrix)
        if min(box[2] - box[0], box[3] - box[1]) <= _THICKEST_RULE:
            self.outlines.append(Outline(box, colour, filled=filled, curved=False))
            return
        inner = times(self._own_matrix(path), matrix)
        found = subpaths(path, inner, filled=filled, colour=colour)
        if found is None:
            self.outlines.append(Outline(box, colour, filled=filled, curved=True, frame=is_frame(path)))
        else:
            self.outlines += found
        self.seen += len(found or ())
