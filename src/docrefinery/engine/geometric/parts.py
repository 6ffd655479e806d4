"""The pipeline in two halves: pages are read in several places, and put together in one."""

from collections.abc import Callable
from typing import Literal

from docling.datamodel.base_models import DoclingComponentType, ErrorItem, FailureCategory
from docling.datamodel.document import ConversionResult

from docrefinery.engine.geometric.assembly.across import Across
from docrefinery.engine.geometric.backend import DocumentBackend
from docrefinery.engine.geometric.pictures import cut_ahead
from docrefinery.engine.geometric.pipeline import (
    LAYOUT,
    RECOGNITION,
    GeometricPdfPipeline,
    GeometricPdfPipelineOptions,
    Recognition,
    assembled,
    backend_of,
)
from docrefinery.engine.geometric.ranges import Cut, Failure, PageRange
from docrefinery.engine.ocr.recognition import Summary


class PagesPipeline(GeometricPdfPipeline):
    """The first half: pages are read, and not put together."""

    def __init__(self, pipeline_options: GeometricPdfPipelineOptions, recognition: Recognition | None = None) -> None:
        super().__init__(pipeline_options, recognition)
        self._cuts: list[Cut] = []

    def read(
        self,
        result: ConversionResult,
        backend: DocumentBackend,
        first: int,
        last: int,
        summary: Summary,
    ) -> PageRange:
        """Return what a run came to.

        :param first: number of the first page that was to be read.
        :param last: number of the last.
        :param summary: what recognition came to.
        """
        return PageRange(
            first,
            last,
            [layout for _, layout in sorted(backend.layouts.items())],
            [_failure(error) for error in result.errors],
            sorted(summary.drawn),
            summary.engine,
            summary.unread_scripts,
            self._cuts,
        )

    def _assemble_document(self, conv_res: ConversionResult) -> ConversionResult:
        self.lay_out_recognised(conv_res)
        backend = backend_of(conv_res.input)
        if (cutter := self.cutter(backend)) is not None:
            self._cuts = list(cut_ahead(cutter, [layout for _, layout in sorted(backend.layouts.items())]))
        return conv_res


class PartsPipeline(GeometricPdfPipeline):
    """The second half.

    :param pages: what was read.
    :param across: what is found across them.
    :param digest: returns the SHA-256 of the file, in hexadecimal digits.
    """

    def __init__(
        self,
        pipeline_options: GeometricPdfPipelineOptions,
        pages: PageRange,
        across: Across,
        digest: Callable[[], str],
    ) -> None:
        super().__init__(pipeline_options)
        self._pages = pages
        self._across = across
        self._digest = digest

    def _build_document(self, conv_res: ConversionResult) -> ConversionResult:
        conv_res.errors += [_error(failure) for failure in self._pages.failures]
        return conv_res

    def _assemble_document(self, conv_res: ConversionResult) -> ConversionResult:
        cutter = self.cutter(backend_of(conv_res.input), self._pages.cuts)
        file, layouts = conv_res.input.file, self._pages.layouts
        conv_res.document = assembled(file, layouts, cutter, self._across, self._digest)
        return conv_res


def _failure(error: ErrorItem) -> Failure:
    steps: dict[str, Literal[1, 2]] = {RECOGNITION: 1, LAYOUT: 2}
    assert error.page_no is not None
    return Failure(error.page_no, error.error_message, steps.get(error.module_name, 0))


def _error(failure: Failure) -> ErrorItem:
    return ErrorItem(
        component_type=DoclingComponentType.MODEL if failure.step else DoclingComponentType.DOCUMENT_BACKEND,
        module_name=(DocumentBackend.__name__, RECOGNITION, LAYOUT)[failure.step],
        error_message=failure.reason,
        category=FailureCategory.INFERENCE_FAILURE if failure.step else FailureCategory.BACKEND_FAILURE,
        page_no=failure.page,
    )
