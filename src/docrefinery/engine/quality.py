"""Whether a page's own text can be used, looked at for itself: what engines that do not read it our way go by."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from docling.utils.locks import pypdfium2_lock

from docrefinery.engine.geometric.reading.chars import read_chars
from docrefinery.engine.geometric.reading.pdfium import address
from docrefinery.engine.geometric.reading.place import Place
from docrefinery.engine.geometric.reading.styles import Styles
from docrefinery.engine.ocr.need import GARBLED
from docrefinery.engine.preflight import Pages
from docrefinery.engine.running import listed
from docrefinery.model import JobWarning


def text_warnings(garbled: Sequence[int], silent: Sequence[int]) -> Iterator[JobWarning]:
    """Tell of pages by their numbers.

    :param garbled: whose text does not mean what it shows.
    :param silent: that are pictures without text, and were not read.
    """
    if garbled:
        yield JobWarning(
            "GARBLED_TEXT",
            f"the fonts on {listed(garbled)} do not say what their letters mean, so that the text is partly wrong; "
            "the profile ocr_only reads it from the picture",
        )
    if silent:
        yield JobWarning(
            "NO_TEXT", f"{listed(silent)} has no text of its own, only a picture; the profile ocr_only reads it"
        )


def look_at_text(source: Path, pages: Pages, *, reads: bool) -> Iterator[JobWarning]:
    """Tell of the text of a document's pages, in some milliseconds each; a look that fails ends no job.

    :param reads: whether pages without text were recognised.
    """
    garbled, silent = [], []
    with pypdfium2_lock, pdfium.PdfDocument(source) as document:
        for number in range(pages.first, pages.last + 1):
            try:
                share, shows = _looked_at(document, number)
            except MemoryError:
                raise
            except pdfium.PdfiumError:
                continue  # It has failed, and that is told.
            except Exception:  # noqa: BLE001 - pages hold what nobody thought of
                traceback.print_exc()
                continue
            if share is not None and share > GARBLED:
                garbled.append(number)
            if share is None and shows and not reads:
                silent.append(number)
    yield from text_warnings(garbled, silent)


def _looked_at(document: pdfium.PdfDocument, number: int) -> tuple[float | None, bool]:
    """Return the share of a page's letters without a meaning, ``None`` without any, and whether it shows pictures."""
    with closing(document[number - 1]) as page:
        place = Place.of(page)
        with closing(page.get_textpage()) as text_page:
            handle = address(text_page)
            chars = read_chars(handle, place, Styles(handle, place.rotation))
        if len(chars.codes):
            return chars.garbled, False
        return None, any(True for _ in page.get_objects([pdfium_c.FPDF_PAGEOBJ_IMAGE]))
