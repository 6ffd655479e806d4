"""The engine as one of Docling's pipelines."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from typing import Protocol

import pypdfium2 as pdfium
from docling.backend.pdf_backend import PdfPageBackend
from docling.datamodel.base_models import DoclingComponentType, ErrorItem, FailureCategory, Page as DoclingPage
from docling.datamodel.document import ConversionResult, InputDocument
from docling.datamodel.pipeline_options import NativePdfPipelineOptions
from docling.pipeline.native_pdf_pipeline import NativePdfPipeline, _NativeBuildTimings
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import DoclingDocument, DocumentOrigin

from docrefinery.engine.geometric.assembly.across import Across
from docrefinery.engine.geometric.assembly.assemble import fill
from docrefinery.engine.geometric.backend import DocumentBackend, PageBackend
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.model import Entry, Page
from docrefinery.engine.geometric.page import layout_of
from docrefinery.engine.geometric.pictures import Cutter
from docrefinery.engine.geometric.ranges import Cut
from docrefinery.engine.geometric.reading.outline import outline_of
from docrefinery.engine.geometric.reading.page import read_page

RECOGNITION, LAYOUT = "ocr", "layout"
"""Modules of the failures of pages that were recognised."""


class GeometricPdfPipelineOptions(NativePdfPipelineOptions):
    """Options of the pipeline, besides Docling's own.

    :param do_table_structure: recognise tables; without, their rows are lines of text.
    """

    do_table_structure: bool = True


class Recognition(Protocol):
    """Reads the text of pages that are pictures."""

    def consider(self, content: Page, page: pdfium.PdfPage) -> bool:
        """Begin to read a page if it needs that, and return whether it does; the text will be in its content."""

    def finish(self) -> dict[int, str]:
        """Wait for all pages, and return why pages failed, by number."""


class GeometricPdfPipeline(NativePdfPipeline):
    """The pipeline; its input has the :class:`~docrefinery.engine.geometric.backend.DocumentBackend`.

    :param recognition: reads pages that need it, of one document; ``None`` reads none, of any number of documents.
    """

    def __init__(self, pipeline_options: GeometricPdfPipelineOptions, recognition: Recognition | None = None) -> None:
        super().__init__(pipeline_options)
        self._tables = pipeline_options.do_table_structure
        self._recognition = recognition
        # One that is off would be asked about every item, twice.
        self.enrichment_pipe = [model for model in self.enrichment_pipe if getattr(model, "enabled", True)]

    @classmethod
    def get_default_options(cls) -> GeometricPdfPipelineOptions:
        """Return options that recognise tables and cut out no images."""
        return GeometricPdfPipelineOptions()

    def _parse_page(
        self,
        timings: _NativeBuildTimings,  # noqa: ARG002 - it is Docling's, of steps that are not taken here
        conv_res: ConversionResult,
        page_backend: PdfPageBackend,
    ) -> DoclingPage | None:
        if not page_backend.is_valid():
            self._record_page_failure(conv_res, page_backend, "Page failed to parse.")
            return None
        try:
            self._read(conv_res, page_backend)
        except MemoryError:
            # Memory that is used up is no defect of the page, and the next page would only fail as well.
            raise
        except Exception as error:  # noqa: BLE001 - one page that cannot be read is not to cost the document
            self._record_page_failure(conv_res, page_backend, f"Page failed to parse: {error}")
            return None
        page = DoclingPage(page_no=page_backend.page_no)
        page.size = page_backend.get_size()
        return page

    def _read(self, conv_res: ConversionResult, backend: PdfPageBackend) -> None:
        assert isinstance(backend, PageBackend)
        document = backend_of(conv_res.input)
        with pypdfium2_lock:
            content = read_page(document.native_document, backend.native_page, backend.page_no)
        if self._recognition is not None and self._recognition.consider(content, backend.native_page):
            document.awaited[backend.page_no] = content
        else:
            document.layouts[backend.page_no] = layout_of(content, tables=self._tables)

    def lay_out_recognised(self, conv_res: ConversionResult) -> None:
        """Wait for the pages that are recognised, and lay them out; those that fail are noted."""
        if self._recognition is None:
            return
        for number, reason in self._recognition.finish().items():
            _note_failure(conv_res, RECOGNITION, number, reason)
        document = backend_of(conv_res.input)
        for number, content in document.awaited.items():
            try:
                document.layouts[number] = layout_of(content, tables=self._tables)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - as of a page that needed no recognition
                _note_failure(conv_res, LAYOUT, number, f"Page failed to parse: {error}")

    def _assemble_document(self, conv_res: ConversionResult) -> ConversionResult:
        self.lay_out_recognised(conv_res)
        backend = backend_of(conv_res.input)
        layouts = [backend.layouts[page.page_no] for page in conv_res.pages if page.page_no in backend.layouts]
        across = Across.of(layouts, lambda: _outline(backend))
        given = conv_res.input
        conv_res.document = assembled(given.file, layouts, self.cutter(backend), across, lambda: given.document_hash)
        return conv_res

    def cutter(self, backend: DocumentBackend, cuts: Iterable[Cut] = ()) -> Cutter | None:
        """Return what cuts out pictures, if they are wanted; ``cuts`` are those that were cut out elsewhere."""
        options = self.pipeline_options
        return Cutter(backend.native_document, options.images_scale, cuts) if options.generate_picture_images else None


def assembled(
    file: PurePath, layouts: Sequence[Layout], cutter: Cutter | None, across: Across, digest: Callable[[], str]
) -> DoclingDocument:
    """Return the document of pages.

    :param file: that they are of.
    :param layouts: in order.
    :param cutter: cuts out the images of pictures; ``None`` leaves them without.
    :param across: what is found across them.
    :param digest: returns the file's SHA-256, in hexadecimal digits.
    """
    document = DoclingDocument(name=file.stem)
    fill(document, layouts, across, cutter)
    document.origin = DocumentOrigin(
        mimetype="application/pdf",
        filename=file.name,
        binary_hash=digest(),  # type: ignore[arg-type] # Docling makes a number of it
    )
    return document


def _outline(backend: DocumentBackend) -> list[Entry]:
    with pypdfium2_lock:
        return outline_of(backend.native_document)


def backend_of(given: InputDocument) -> DocumentBackend:
    """Return the backend that a file was opened with; raises :class:`TypeError` if it is another engine's."""
    backend = given._backend
    if not isinstance(backend, DocumentBackend):
        raise TypeError(f"the geometric pipeline reads with its own DocumentBackend, not {type(backend).__name__}")
    return backend


def _note_failure(conv_res: ConversionResult, module: str, number: int, reason: str) -> None:
    conv_res.errors.append(
        ErrorItem(
            component_type=DoclingComponentType.MODEL,
            module_name=module,
            error_message=reason,
            category=FailureCategory.INFERENCE_FAILURE,
            page_no=number,
        )
    )
