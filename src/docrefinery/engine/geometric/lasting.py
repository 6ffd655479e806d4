"""A document that stays open from one range of its pages to the next."""

from pathlib import Path

from docling.datamodel.document import InputDocument
from docling.datamodel.settings import DocumentLimits

from docrefinery.engine.geometric.backend import DocumentBackend
from docrefinery.engine.preflight import Pages
from docrefinery.engine.running import opened


class LastingBackend(DocumentBackend):
    """A document that a pipeline leaves open."""

    def unload(self) -> None:
        """Leave it open."""

    def close(self) -> None:
        """Close it."""
        super().unload()


class Lasting:
    """The document that pages were read of last: to open one, and to find a page far behind, takes milliseconds."""

    def __init__(self) -> None:
        self._source: Path | None = None
        self._opened: tuple[InputDocument, LastingBackend] | None = None

    def opened(self, source: Path, pages: Pages) -> tuple[InputDocument, DocumentBackend]:
        """Return a file as Docling's pipelines take it, without its hash, and its backend, with nothing read of it.

        :param source: the same path is the same file until :meth:`close`.
        :raises InvalidPdf: if it cannot be read.
        """
        if self._opened is None or source != self._source:
            self.close()
            self._opened, self._source = opened(source, pages, LastingBackend, hashed=False), source
        given, backend = self._opened
        given.limits = DocumentLimits(page_range=(pages.first, pages.last))
        backend.layouts, backend.awaited = {}, {}
        return given, backend

    def close(self) -> None:
        """Close the document."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[1].close()
