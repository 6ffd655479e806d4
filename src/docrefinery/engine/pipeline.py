"""Docling's model-free pipeline with what it leaves out: pictures, and text recognition."""

import sys

from docling.backend.pdf_backend import PdfPageBackend
from docling.datamodel.base_models import DoclingComponentType, ErrorItem, FailureCategory, Page
from docling.datamodel.document import ConversionResult
from docling.datamodel.pipeline_options import NativePdfPipelineOptions
from docling.datamodel.progress import ConversionProgressEvent, PageCompletedProgress
from docling.pipeline.native_pdf_pipeline import NativePdfPipeline, _NativeBuildTimings

from docrefinery.engine.backend import PageBackend
from docrefinery.engine.ocr.recognition import Recognition, Summary
from docrefinery.engine.pictures import pictures_of
from docrefinery.engine.progress import PagesDone


class Pipeline(NativePdfPipeline):
    """One document's pipeline.

    :param done: counts pages; one that has to be recognised counts when that is done.
    :param recognition: reads pages that need it; ``None`` reads none.
    """

    def __init__(self, options: NativePdfPipelineOptions, done: PagesDone, recognition: Recognition | None) -> None:
        super().__init__(options)
        self.recognised = Summary({}, {}, {})
        self._done = done
        self._recognition = recognition
        self._awaited: set[int] = set()

    def on_event(self, event: ConversionProgressEvent) -> None:
        """Take Docling's own news of the conversion."""
        if isinstance(event, PageCompletedProgress) and event.page_no not in self._awaited:
            self._done.one_more()

    def _parse_page(
        self, timings: _NativeBuildTimings, conv_res: ConversionResult, page_backend: PdfPageBackend
    ) -> Page | None:
        page: Page | None = super()._parse_page(timings, conv_res, page_backend)
        if page is None or page.parsed_page is None:
            return page
        options = self.pipeline_options
        page.parsed_page.bitmap_resources = pictures_of(
            page_backend, images_scale=options.images_scale if options.generate_picture_images else None
        )
        assert isinstance(page_backend, PageBackend)
        if self._recognition is not None and self._recognition.consider(page, page_backend):
            self._awaited.add(page.page_no)
        return page

    def _assemble_document(self, conv_res: ConversionResult) -> ConversionResult:
        if self._recognition is not None:
            self.recognised = self._recognition.finish()
            for page_no, reason in self.recognised.failures.items():
                self._note_failure(conv_res, page_no, reason)
        return super()._assemble_document(conv_res)

    def _note_failure(self, conv_res: ConversionResult, page_no: int, reason: str) -> None:
        conv_res.errors.append(
            ErrorItem(
                component_type=DoclingComponentType.MODEL,
                module_name="ocr",
                error_message=reason,
                category=FailureCategory.INFERENCE_FAILURE,
                page_no=page_no,
            )
        )

    def _record_page_failure(self, conv_res: ConversionResult, page_backend: PdfPageBackend, message: str) -> None:
        # Memory that is used up is no defect of the page, and the next page would only fail as well.
        error = sys.exc_info()[1]
        if isinstance(error, MemoryError):
            raise error
        super()._record_page_failure(conv_res, page_backend, message)
