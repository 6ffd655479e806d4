"""Boxes, tags and the line of the reading order, drawn over a rendered page."""

import math
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from docrefinery.engine.debugging.marks import Mark
from docrefinery.engine.debugging.palette import Colour
from docrefinery.engine.debugging.tags import Rectangle, place_tags

FONT_PIXELS = 11
_ORDER = (20, 20, 20, 150)
_DASH, _GAP = 5, 4
_ARROW = 8.0
_BESIDE = 4
_FILL, _HEADER_FILL = 22, 45


def draw_marks(sheet: Image.Image, marks: list[Mark], scale: tuple[float, float], left: int) -> None:
    """Draw marks over a page.

    :param sheet: the picture, RGB, with the page at its top.
    :param scale: pixels a point, across and down.
    :param left: pixels from the picture's left edge to the page's.
    """
    draw = ImageDraw.Draw(sheet, "RGBA")

    def pixels(box: Rectangle) -> Rectangle:
        return left + box[0] * scale[0], box[1] * scale[1], left + box[2] * scale[0], box[3] * scale[1]

    boxes = [pixels(mark.box) for mark in marks]
    for mark, box in zip(marks, boxes, strict=True):
        colour = mark.kind.colour
        for cell, header in mark.cells:
            _rectangle(draw, pixels(cell), colour, width=1, fill=_HEADER_FILL if header else 0)
        if mark.kind.dashed:
            _dashed(draw, box, colour)
        else:
            _rectangle(draw, box, colour, width=2, fill=0 if mark.cells else _FILL)
    _order(draw, [box for mark, box in zip(marks, boxes, strict=True) if mark.number is not None])
    font = ImageFont.load_default(FONT_PIXELS)
    sizes = [(math.ceil(font.getlength(mark.tag)) + 6, FONT_PIXELS + 4) if mark.tag else (0, 0) for mark in marks]
    for mark, tag in zip(marks, place_tags(boxes, sizes, sheet.size), strict=True):
        if mark.tag:
            draw.rectangle(tag, fill=(*mark.kind.colour, 215))
            draw.text((tag[0] + 3, (tag[1] + tag[3]) / 2), mark.tag, (255, 255, 255), font, anchor="lm")


def _rectangle(draw: ImageDraw.ImageDraw, box: Rectangle, colour: Colour, *, width: int, fill: int) -> None:
    draw.rectangle(box, outline=(*colour, 255), fill=(*colour, fill), width=width)


def _dashed(draw: ImageDraw.ImageDraw, box: Rectangle, colour: Colour) -> None:
    left, top, right, bottom = box
    for x in range(round(left), math.ceil(right), _DASH + _GAP):
        for y in (top, bottom):
            draw.line((x, y, min(x + _DASH, right), y), colour)
    for down in range(round(top), math.ceil(bottom), _DASH + _GAP):
        for across in (left, right):
            draw.line((across, down, across, min(down + _DASH, bottom)), colour)


def _order(draw: ImageDraw.ImageDraw, boxes: list[Rectangle]) -> None:
    """Draw an arrow from the start of each box to that of the next, just beside the text."""
    for (x, y), (next_x, next_y) in pairwise([(box[0] - _BESIDE, box[1]) for box in boxes]):
        draw.line((x, y, next_x, next_y), _ORDER, 2)
        way = math.atan2(next_y - y, next_x - x)
        wings = [
            (next_x - _ARROW * math.cos(way + side), next_y - _ARROW * math.sin(way + side)) for side in (0.45, -0.45)
        ]
        draw.polygon([(next_x, next_y), *wings], fill=_ORDER)
