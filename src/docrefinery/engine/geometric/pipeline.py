"""The engine as one of Docling's pipelines."""

from pathlib import Path
from typing import Protocol

import pypdfium2 as pdfium
from docling.backend.pdf_backend import PdfPageBackend
from docling.datamodel.base_models import DoclingComponentType, ErrorItem, FailureCategory, Page as DoclingPage
from docling.datamodel.document import ConversionResult
from docling.datamodel.pipeline_options import NativePdfPipelineOptions
from docling.pipeline.native_pdf_pipeline import NativePdfPipeline, _NativeBuildTimings
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import DoclingDocument, DocumentOrigin

from docrefinery.engine.geometric.assembly.assemble import fill
from docrefinery.engine.geometric.backend import DocumentBackend, PageBackend
from docrefinery.engine.geometric.model import Page
from docrefinery.engine.geometric.page import layout_of
from docrefinery.engine.geometric.pictures import Cutter
from docrefinery.engine.geometric.reading.outline import outline_of
from docrefinery.engine.geometric.reading.page import read_page


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
        document = _backend_of(conv_res)
        with pypdfium2_lock:
            content = read_page(document.native_document, backend.native_page, backend.page_no)
        if self._recognition is not None and self._recognition.consider(content, backend.native_page):
            document.awaited[backend.page_no] = content
        else:
            document.layouts[backend.page_no] = layout_of(content, tables=self._tables)

    def _lay_out_recognised(self, conv_res: ConversionResult) -> None:
        if self._recognition is None:
            return
        for number, reason in self._recognition.finish().items():
            _note_failure(conv_res, number, reason)
        document = _backend_of(conv_res)
        for number, content in document.awaited.items():
            try:
                document.layouts[number] = layout_of(content, tables=self._tables)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - as of a page that needed no recognition
                _note_failure(conv_res, number, f"Page failed to parse: {error}")

    def _assemble_document(self, conv_res: ConversionResult) -> ConversionResult:
        self._lay_out_recognised(conv_res)
        backend = _backend_of(conv_res)
        options = self.pipeline_options
        cutter = Cutter(backend.native_document, options.images_scale) if options.generate_picture_images else None
        origin = DocumentOrigin(
            mimetype="application/pdf",
            filename=conv_res.input.file.name,
            binary_hash=conv_res.input.document_hash,  # type: ignore[arg-type] # Docling makes a number of it
        )
        document = DoclingDocument(name=Path(origin.filename).stem, origin=origin)
        with pypdfium2_lock:
            outline = outline_of(backend.native_document)
        layouts = [backend.layouts[page.page_no] for page in conv_res.pages if page.page_no in backend.layouts]
        fill(document, layouts, cutter, outline)
        conv_res.document = document
        return conv_res


def _backend_of(conv_res: ConversionResult) -> DocumentBackend:
    backend = conv_res.input._backend
    if not isinstance(backend, DocumentBackend):
        raise TypeError(f"the geometric pipeline reads with its own DocumentBackend, not {type(backend).__name__}")
    return backend


def _note_failure(conv_res: ConversionResult, number: int, reason: str) -> None:
    conv_res.errors.append(
        ErrorItem(
            component_type=DoclingComponentType.MODEL,
            module_name="ocr",
            error_message=reason,
            category=FailureCategory.INFERENCE_FAILURE,
            page_no=number,
        )
    )
