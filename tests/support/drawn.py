"""PDF files drawn by hand for what has to go through pdfium: content streams in, a file out.

``F1`` is Helvetica, ``F2`` its bold, ``F3`` Courier and ``F4`` an italic Times; objects of one's own begin at 7.
"""

from collections.abc import Sequence
from pathlib import Path

from docrefinery.engine.geometric import Layout, read
from docrefinery.engine.geometric.model import Page
from tests.support.pdfs import escaped, file_of, stream

LETTER = b"/MediaBox [0 0 612 792]"
_FONTS = (b"Helvetica", b"Helvetica-Bold", b"Courier", b"Times-Italic")
_UNICODE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Own def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
{count} beginbfchar
{pairs}
endbfchar
endcmap CMapName currentdict /CMap defineresource pop end end
"""


def drawn(
    *contents: bytes, page: bytes = LETTER, fonts: bytes = b"", resources: bytes = b"", extra: Sequence[bytes] = ()
) -> bytes:
    """Return a file with a page for each content.

    :param page: entries of every page: its boxes, how it is rotated.
    :param fonts: more fonts of every page, as ``/F9 7 0 R``.
    :param resources: of every page, besides its fonts.
    :param extra: objects, the first of which has the number 7.
    """
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = {number: font % name for number, name in enumerate(_FONTS, 3)}
    objects |= dict(enumerate(extra, 7))
    known = b" ".join(b"/F%d %d 0 R" % (number, number + 2) for number in range(1, len(_FONTS) + 1))
    numbers = range(7 + len(extra), 7 + len(extra) + 2 * len(contents), 2)
    for number, content in zip(numbers, contents, strict=True):
        objects[number] = stream(content)
        objects[number + 1] = (
            b"<< /Type /Page /Parent 2 0 R %s /Contents %d 0 R /Resources << /Font << %s %s >> %s >> >>"
            % (page, number, known, fonts, resources)
        )
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R >>"
    kids = b" ".join(b"%d 0 R" % (number + 1) for number in numbers)
    objects[2] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(contents), kids)
    return file_of(objects)


def shown(text: str, left: float, bottom: float, *, size: float = 11, font: str = "F1", turn: str = "1 0 0 1") -> bytes:
    """Return the operators that show a line of text.

    :param turn: the first four numbers of its matrix.
    """
    matrix = f"{turn} {left} {bottom}"
    return f"BT /{font} {size} Tf {matrix} Tm (".encode() + escaped(text) + b") Tj ET\n"


def paragraph(lines: Sequence[str], left: float = 72, bottom: float = 700, *, size: float = 11) -> bytes:
    """Return the operators that show lines below each other."""
    return b"".join(shown(line, left, bottom - 1.2 * size * at, size=size) for at, line in enumerate(lines))


def grid(left: float, top: float, cells: Sequence[Sequence[str]], *, width: float = 90, height: float = 18) -> bytes:
    """Return the operators that draw a table with all of its rules; ``top`` counts from the bottom of the page."""
    right, bottom = left + width * len(cells[0]), top - height * len(cells)
    rules = [f"{left} {top - height * at} m {right} {top - height * at} l S\n" for at in range(len(cells) + 1)]
    rules += [f"{left + width * at} {top} m {left + width * at} {bottom} l S\n" for at in range(len(cells[0]) + 1)]
    texts = [
        shown(text, left + width * column + 6, top - height * row - 13, size=9)
        for row, line in enumerate(cells)
        for column, text in enumerate(line)
    ]
    return "".join(rules).encode() + b"".join(texts)


def composite_font(letters: str, first: int, *, vertical: bool = False) -> list[bytes]:
    """Return the objects of a font whose glyph 1 means the first of some letters, and so on.

    :param first: the number that the first object gets: that is the font.
    :param vertical: whether it writes downwards.
    """
    pairs = "\n".join(f"<{at:04X}> <{letter.encode('utf-16-be').hex()}>" for at, letter in enumerate(letters, 1))
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Own /Encoding /Identity-%s /DescendantFonts [%d 0 R] "
        b"/ToUnicode %d 0 R >>"
    )
    descendant = (
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Own /DW %d /FontDescriptor %d 0 R "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
    )
    descriptor = (
        b"<< /Type /FontDescriptor /FontName /Own /Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 "
        b"/Descent -200 /CapHeight 700 /StemV 80 >>"
    )
    return [
        font % (b"V" if vertical else b"H", first + 1, first + 2),
        descendant % (1000 if vertical else 500, first + 3),
        stream(_UNICODE.format(count=len(letters), pairs=pairs).encode()),
        descriptor,
    ]


def glyphs(count: int, first: int = 1) -> str:
    """Return the codes of glyphs that follow each other, as a string in a content stream."""
    return "<" + "".join(f"{at:04X}" for at in range(first, first + count)) + ">"


def layouts_of(folder: Path, content: bytes) -> list[Layout]:
    """Return the layouts of a file's pages."""
    source = folder / "drawn.pdf"
    source.write_bytes(content)
    return list(read(source))


def words_of(layout: Layout | Page) -> list[str]:
    """Return the words of a layout's lines in reading order, or of a page's segments."""
    if isinstance(layout, Page):
        return [word.text for segment in layout.segments for word in segment.words]
    return [word for line in [*layout.lines, *layout.aside] for word in line.text.split()]
