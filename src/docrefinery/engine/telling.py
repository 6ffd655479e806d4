"""What a job of the geometric engine is told of its pages."""

from collections.abc import Container, Iterator, Mapping

from docling_core.types.doc import DoclingDocument

from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.pictures import PICTURE_PIXELS
from docrefinery.engine.ocr.need import GARBLED
from docrefinery.engine.ocr.sheet import DPI, SHEET_PIXELS
from docrefinery.engine.preflight import Pages
from docrefinery.engine.quality import text_warnings
from docrefinery.engine.running import listed
from docrefinery.engine.sizes import fitting_scale
from docrefinery.model import JobWarning

LEGIBLE = 0.25
"""Pixels a point below which letters of 30 points are too small to be recognised."""


def layout_warnings(found: Mapping[int, Layout], *, reads: bool) -> Iterator[JobWarning]:
    layouts = [layout for _, layout in sorted(found.items())]
    garbled = [layout.number for layout in layouts if layout.garbled > GARBLED]
    silent = [layout.number for layout in layouts if not reads and not layout.lines and _shows_picture(layout)]
    yield from text_warnings(garbled, silent)
    if plain := [layout for layout in layouts if layout.plain]:
        pages = listed([layout.number for layout in plain])
        yield JobWarning(
            "PAGE_TOO_COMPLEX", f"{pages} came out as plain lines in the order of the file: {plain[0].plain}"
        )


def _cut_from(document: DoclingDocument) -> set[int]:
    return {place.page_no for picture in document.pictures for place in picture.prov}


def size_warnings(
    pages: Pages, drawn: Container[int], document: DoclingDocument, scale: float | None
) -> Iterator[JobWarning]:
    """Tell of pages that were drawn with fewer pixels than was asked for.

    :param drawn: pages that were drawn to be recognised.
    :param scale: at which the document's pictures were cut out; ``None`` where none were.
    """
    cut = _cut_from(document) if scale is not None else ()
    wanted, dots = scale or 0.0, DPI / 72
    scales = {number: fitting_scale(dots, *size, SHEET_PIXELS) for number, size in pages.large.items()}
    unread = [number for number, got in scales.items() if number in drawn and got < LEGIBLE]
    smaller = [
        number
        for number, size in pages.large.items()
        if (number in drawn and LEGIBLE <= scales[number] < dots)
        or (number in cut and number not in unread and fitting_scale(wanted, *size, PICTURE_PIXELS) < wanted)
    ]
    if smaller:
        yield JobWarning(
            "PAGE_TOO_LARGE", f"so large on paper that it was drawn with fewer pixels than usual: {listed(smaller)}"
        )
    if unread:
        yield JobWarning(
            "PAGE_TOO_LARGE", f"so large on paper that no ordinary print on it can be recognised: {listed(unread)}"
        )


def _shows_picture(layout: Layout) -> bool:
    return any(isinstance(element, Figure) for column in layout.columns for element in column)
