"""Docling's pdfium backend with our reading of lines in the place of its own."""

import pypdfium2 as pdfium
from docling.backend.pypdfium2_backend import PyPdfiumDocumentBackend, PyPdfiumPageBackend
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import BoundingBox
from docling_core.types.doc.page import BoundingRectangle, TextCell

from docrefinery.engine.lines import Line, read_lines
from docrefinery.engine.paragraphs import paragraphs


class PageBackend(PyPdfiumPageBackend):
    """A page whose text cells are paragraphs."""

    @property
    def native_page(self) -> pdfium.PdfPage:
        """Pdfium's own page; who uses it holds pdfium's lock."""
        return self._require_page()

    def _compute_text_cells(self) -> list[TextCell]:
        with pypdfium2_lock:
            page = self._require_page()
            if self.text_page is None:
                self.text_page = page.get_textpage()
            lines = list(read_lines(page, self.text_page))
        return [cell_of(index, line) for index, line in enumerate(paragraphs(lines))]


class DocumentBackend(PyPdfiumDocumentBackend):
    """A document of such pages."""

    def load_page(self, page_no: int) -> PageBackend:
        """Return a page, counted from 0."""
        with pypdfium2_lock:
            return PageBackend(self._pdoc, self.document_hash, page_no)


def cell_of(index: int, line: Line, *, confidence: float | None = None) -> TextCell:
    """Return a line as Docling's text cell; ``confidence`` (0 to 1) is that of recognised text."""
    box = BoundingBox(l=line.left, t=line.top, r=line.right, b=line.bottom)
    return TextCell(
        index=index,
        text=line.text,
        orig=line.text,
        from_ocr=confidence is not None,
        confidence=1.0 if confidence is None else confidence,
        rect=BoundingRectangle.from_bounding_box(box),
    )
