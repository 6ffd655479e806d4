"""The strip below a page that says what is what."""

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from docrefinery.engine.debugging.marks import Mark
from docrefinery.engine.debugging.palette import Kind

_FONT_PIXELS = 13
_LINE = 20
_PADDING = 10
_SWATCH = 22
_INK = (20, 20, 20)


@dataclass(frozen=True, slots=True)
class Caption:
    """Which page it is: its number, that of the file's last, and its width and height in points."""

    name: str
    number: int
    last: int
    width: float
    height: float

    def text(self, marks: list[Mark]) -> str:
        """Return it as a line, with the numbers of the items."""
        numbers = [mark.number for mark in marks if mark.number is not None]
        items = f"items {min(numbers)} to {max(numbers)}" if numbers else "no items"
        return f"{self.name}, page {self.number} of {self.last}, {self.width:.0f} by {self.height:.0f} points, {items}"


def framed(sheet: Image.Image, marks: list[Mark], caption: Caption) -> Image.Image:
    """Return a picture with the legend of its marks below it."""
    kinds = sorted({mark.kind.name: mark.kind for mark in marks}.values(), key=lambda kind: kind.name)
    font = ImageFont.load_default(_FONT_PIXELS)
    text = caption.text(marks)
    places = _places([_SWATCH + 18 + math.ceil(font.getlength(_described(kind))) for kind in kinds], sheet.width)
    rows = 1 + (places[-1][1] + 1 if places else 0)
    whole = Image.new("RGB", (sheet.width, sheet.height + rows * _LINE + 2 * _PADDING), (250, 250, 250))
    whole.paste(sheet)
    draw = ImageDraw.Draw(whole)
    first = sheet.height + _PADDING + _LINE // 2
    draw.line((0, sheet.height, sheet.width, sheet.height), _INK)
    draw.text((_PADDING, first), text, _INK, font, anchor="lm")
    for kind, (x, row) in zip(kinds, places, strict=True):
        y = first + (row + 1) * _LINE
        draw.rectangle((x, y - 6, x + _SWATCH, y + 6), kind.colour if not kind.dashed else None, kind.colour)
        draw.text((x + _SWATCH + 5, y), _described(kind), _INK, font, anchor="lm")
    return whole


def _described(kind: Kind) -> str:
    return f"{kind.short}: {kind.name}" if kind.short not in ("", kind.name) else kind.name


def _places(widths: list[int], width: int) -> list[tuple[int, int]]:
    """Return the left edge and the row of entries that are set one after the other and wrapped."""
    places: list[tuple[int, int]] = []
    x, row = _PADDING, 0
    for each in widths:
        if x > _PADDING and x + each > width:
            x, row = _PADDING, row + 1
        places.append((x, row))
        x += each
    return places
