"""Reading one page."""

import numpy as np
import pypdfium2 as pdfium

from docrefinery.engine.geometric.model import Page
from docrefinery.engine.geometric.reading.chars import MOST_CHARS, read_chars
from docrefinery.engine.geometric.reading.drawings import MOST_OBJECTS, read_drawings
from docrefinery.engine.geometric.reading.hidden import without_hidden
from docrefinery.engine.geometric.reading.links import read_links
from docrefinery.engine.geometric.reading.marks import part_marks
from docrefinery.engine.geometric.reading.pdfium import address
from docrefinery.engine.geometric.reading.place import Place
from docrefinery.engine.geometric.reading.styles import Styles
from docrefinery.engine.geometric.reading.tags import read_tags
from docrefinery.engine.geometric.reading.words import segments


def read_page(document: pdfium.PdfDocument, page: pdfium.PdfPage, number: int) -> Page:
    """Return what is on a page; whoever calls holds pdfium's lock.

    :param number: of the page, counted from 1.
    """
    place = Place.of(page)
    text_page = page.get_textpage()
    try:
        handle = address(text_page)
        styles = Styles(handle, place.rotation)
        chars = read_chars(handle, place, styles)
    finally:
        text_page.close()
    drawings = read_drawings(address(page), place)
    reasons = []
    if chars.cut:
        reasons.append(f"more than {MOST_CHARS:,} characters, of which the rest is missing")
    if drawings.crowded:
        reasons.append(f"more than {MOST_OBJECTS:,} drawn objects")
    plain = " and ".join(reasons)
    text, marks = part_marks(without_hidden(segments(chars, styles.known), styles.known, drawings.images))
    return Page(
        number=number,
        width=place.width,
        height=place.height,
        styles=styles.known,
        segments=text,
        rules=drawings.rules,
        shapes=[*drawings.shapes, *marks],
        images=drawings.images,
        links=read_links(page, document, place),
        tags=read_tags(address(page), len(np.unique(chars.tags[chars.tags >= 0]))),
        garbled=chars.garbled,
        plain=plain,
    )
