"""Scans for tests: pages of text, rendered to pictures and put into a PDF again."""

import io
from collections.abc import Sequence
from difflib import SequenceMatcher

import pypdfium2 as pdfium
from PIL import Image

from tests.support.pdfs import born_digital

ENGLISH = """The harbour master kept a ledger of every vessel that came in before the
winter storms. Each line named the ship, her captain and the cargo she carried,
and beside it stood the hour at which the pilot had brought her over the bar.
Most of the entries are short: grain from the eastern plains, timber from the
islands, wool and hides, now and then a load of oranges packed in straw.
Only once did he write more than a single line. On the last day of October a
small schooner arrived without a crew, her sails furled and her lamps burning.
Nobody claimed her, and in the spring she was sold to a merchant of the town,
who painted the hull green and sailed her along the coast for twenty years.
The ledger itself survived the fire that destroyed the customs house. It was
found under a staircase, wrapped in oilcloth, by a carpenter who could not read
and who gave it to the school, where it still lies open on a table today."""
"""Twelve lines of plain English, about 900 letters."""


def pages_as_images(content: bytes, dpi: int = 200) -> list[Image.Image]:
    """Render a PDF's pages in grey."""
    with pdfium.PdfDocument(content) as document:
        return [page.render(scale=dpi / 72).to_pil().convert("L").copy() for page in document]


def of_images(images: Sequence[Image.Image], dpi: int = 200) -> bytes:
    """Return a PDF with one picture a page."""
    file = io.BytesIO()
    images[0].save(file, "PDF", resolution=dpi, save_all=True, append_images=list(images[1:]), quality=90)
    return file.getvalue()


def scanned(content: bytes, *, dpi: int = 200, clockwise: int = 0) -> bytes:
    """Return a PDF as a scanner makes it, laid in turned by a multiple of 90 degrees."""
    return of_images([image.rotate(-clockwise, expand=True) for image in pages_as_images(content, dpi)], dpi)


def english_scan(pages: int = 1, *, dpi: int = 200, clockwise: int = 0) -> bytes:
    """Return scanned pages of :data:`ENGLISH`."""
    return scanned(born_digital(pages, ENGLISH), dpi=dpi, clockwise=clockwise)


def blank_scan() -> bytes:
    """Return a scanned page with nothing on it."""
    return of_images([Image.new("L", (1654, 2339), 250)])


def joined(*contents: bytes) -> bytes:
    """Return one PDF of the pages of several."""
    file = io.BytesIO()
    with pdfium.PdfDocument.new() as whole:
        for content in contents:
            with pdfium.PdfDocument(content) as part:
                whole.import_pages(part)
        whole.save(file)
    return file.getvalue()


def similarity(one: str, other: str) -> float:
    """Return how alike texts are, 1 is equal: at most 1 - normalised indel distance over letters, blanks folded."""
    return SequenceMatcher(None, " ".join(one.split()), " ".join(other.split()), autojunk=False).ratio()
