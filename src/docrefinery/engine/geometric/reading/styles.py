"""How the text of a page is drawn: asked for each text object, of which there are few, not for each character.

Weight and slant are read off the font's name: the weight that pdfium tells is a guess from the width of its stems.
"""

import ctypes
import math
import re
from array import array

from docrefinery.engine.geometric.model import Style
from docrefinery.engine.geometric.reading import pdfium

# Names of faces are put together from words, each with a capital letter, or short signs after a hyphen.
_BOLD = re.compile(
    r"Bold|bold|BOLD|Black|Heavy|Demi(?![a-z])|SemiB|-Medi|^(?:CMBX|CMSSBX|SFBX|LMRoman\d*-Bold)|[-,](?:Bd|Blk|B|BI)\b|-W[6-9]\b"
)
_ITALIC = re.compile(r"Italic|italic|ITALIC|Oblique|Slanted|Kursiv|^(?:CMTI|CMSL|CMMI|SFTI)|It\b|[-,](?:I|BI)\b")
_MONO = re.compile(
    r"Mono(?!t)|mono\b|Courier|courier|^(?:CMTT|SFTT|LMTT|LMMono)|Typewriter|Consol|Menlo|^Hack-|Code(?![a-z])|Terminal|Fixed"
)
_SUBSET = re.compile(r"^[A-Z]{6}\+")
_FIXED_PITCH, _ITALIC_FLAG, _FORCE_BOLD = 1, 1 << 6, 1 << 18
_INVISIBLE = (3, 7)
_FILL_AND_STROKE = 2
_SMALLEST = 0.1
"""In points: nobody reads less, and nothing is to be divided by zero."""
_ASKEW = math.radians(10)


class Styles:
    """The styles of one page, numbered as they come."""

    def __init__(self, text_page: int, rotation: int) -> None:
        self.known: list[Style] = []
        self._numbers: dict[Style, int] = {}
        self._text_page = text_page
        self._rotation = rotation
        self._fonts: dict[int, tuple[str, bool, bool, bool]] = {}
        self._matrix = (ctypes.c_float * 6)()
        self._matrix_at = ctypes.addressof(self._matrix)
        self._size = ctypes.c_float()
        self._size_at = ctypes.addressof(self._size)
        self._colour = array("I", [0, 0, 0, 0])
        at = self._colour.buffer_info()[0]
        self._colour_at = [at + self._colour.itemsize * index for index in range(4)]

    def of(self, text: int, char: int) -> int:
        """Return the number of a text object's style.

        :param char: index of one of its characters.
        """
        mode = pdfium.text_mode(text)
        font, bold, italic, mono = self._font(pdfium.text_font(text))
        size, direction = self._drawn(text, char)
        style = Style(
            font=font,
            size=max(_SMALLEST, round(size, 1)),
            bold=bold or mode == _FILL_AND_STROKE,
            italic=italic,
            mono=mono,
            colour=self._fill(text),
            direction=direction,
            hidden=mode in _INVISIBLE,
        )
        number = self._numbers.setdefault(style, len(self.known))
        if number == len(self.known):
            self.known.append(style)
        return number

    def _drawn(self, text: int, char: int) -> tuple[float, int]:
        pdfium.text_font_size(text, self._size_at)
        if not pdfium.char_matrix(self._text_page, char, self._matrix_at):
            return self._size.value, 0
        a, b, c, d = self._matrix[:4]
        turned = math.atan2(-b, a) + math.radians(self._rotation)
        quarter = round(turned / (math.pi / 2))
        straight = abs(turned - quarter * math.pi / 2) < _ASKEW
        return abs(self._size.value) * math.hypot(c, d), quarter % 4 * 90 if straight else -1

    def _fill(self, text: int) -> int:
        if not pdfium.fill_colour(text, *self._colour_at):
            return 0
        red, green, blue, _ = self._colour
        return red << 16 | green << 8 | blue

    def _font(self, font: int) -> tuple[str, bool, bool, bool]:
        if font not in self._fonts:
            name = _name(font)
            flags = max(0, pdfium.font_flags(font))
            bold, italic, mono = looks_of(name)
            bold |= bool(flags & _FORCE_BOLD)
            italic |= bool(flags & _ITALIC_FLAG)
            mono |= bool(flags & _FIXED_PITCH)
            self._fonts[font] = name, bold, italic, mono
        return self._fonts[font]


def looks_of(name: str) -> tuple[bool, bool, bool]:
    """Return whether a face is bold, italic and of a fixed pitch by its name."""
    return bool(_BOLD.search(name)), bool(_ITALIC.search(name)), bool(_MONO.search(name))


def _name(font: int) -> str:
    buffer = ctypes.create_string_buffer(128)
    pdfium.font_name(font, ctypes.addressof(buffer), len(buffer))
    return _SUBSET.sub("", buffer.value.decode("utf-8", "replace"))
