"""The geometric engine as the service uses it: limits, OCR where a page says nothing, pictures, and what to tell."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec
from docling.datamodel.document import ConversionResult, InputDocument
from docling.datamodel.progress import PageCompletedProgress
from docling.utils.utils import create_file_hash
from msgspec import Struct

from docrefinery.capabilities import Ocr, held_ocr, lacking
from docrefinery.engine.base import Describe, EngineOptions, EngineResult, Help, Meanwhile, OnPage
from docrefinery.engine.describing import describe_pictures, described
from docrefinery.engine.geometric.assembly.across import Across
from docrefinery.engine.geometric.backend import DocumentBackend
from docrefinery.engine.geometric.lasting import Lasting
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.parts import PagesPipeline, PartsPipeline
from docrefinery.engine.geometric.pipeline import GeometricPdfPipeline, GeometricPdfPipelineOptions
from docrefinery.engine.geometric.ranges import BadPages, decode, encode, joined
from docrefinery.engine.geometric.read import read_outline
from docrefinery.engine.ocr import recognizer_of
from docrefinery.engine.ocr.recognition import Recognition, Summary
from docrefinery.engine.preflight import Pages, preflight
from docrefinery.engine.progress import PagesDone
from docrefinery.engine.running import executed, judged, named, opened, page_warnings, script_warnings
from docrefinery.engine.telling import layout_warnings, size_warnings
from docrefinery.errors import ConversionFailed
from docrefinery.model import JobWarning

ENGINE = "geometric"


class _Read(Struct, frozen=True):
    """What was read of a document, besides the document itself."""

    pages: Pages
    layouts: Mapping[int, Layout]
    summary: Summary


class GeometricEngine:
    """Structure from the page's own geometry, and recognised text where there is none."""

    def __init__(self) -> None:
        self._lasting = Lasting()

    def convert(self, source: Path, name: str, options: EngineOptions, on_page: OnPage, aid: Help) -> EngineResult:
        """Convert a file; see :class:`~docrefinery.engine.base.Engine`."""
        ocr = _ocr(options, aid)
        pages = preflight(source, options)
        done = PagesDone(pages.total, on_page)
        recognition = _recognition(options, ocr, aid, done)
        pipeline = GeometricPdfPipeline(_pipeline_options(options, aid), recognition)
        result, backend = _run(pipeline, opened(source, pages, DocumentBackend), recognition, done)
        read = _Read(pages, backend.layouts, _summary(recognition))
        return _concluded(result, read, name, options, ocr, aid)

    def read_pages(self, source: Path, pages: Pages, options: EngineOptions, on_page: OnPage, aid: Help) -> bytes:
        """Read some pages; see :class:`~docrefinery.engine.base.Parting`."""
        done = PagesDone(pages.total, on_page)
        recognition = _recognition(options, _ocr(options, aid), aid, done)
        pipeline = PagesPipeline(_pipeline_options(options, aid), recognition)
        result, backend = _run(pipeline, self._lasting.opened(source, pages), recognition, done)
        return encode(pipeline.read(result, backend, pages.first, pages.last, _summary(recognition)))

    def put_together(
        self,
        source: Path,
        name: str,
        options: EngineOptions,
        parts: Mapping[tuple[int, int], Path],
        meanwhile: Meanwhile,
        aid: Help,
    ) -> EngineResult:
        """Make a document of pages; see :class:`~docrefinery.engine.base.Parting`."""
        try:
            together = joined(decode(path.read_bytes(), *numbers) for numbers, path in parts.items())
        except BadPages as error:
            raise ConversionFailed(f"pages that were read elsewhere cannot be used: {error}") from error
        across = Across.of(together.layouts, lambda: read_outline(source)).found(meanwhile)
        digest = meanwhile.later(lambda: create_file_hash(source), str)
        # Nothing is refused any more here: whoever asked for the parts has looked before.
        looked_at = meanwhile.later(lambda: preflight(source, options), Pages)
        meanwhile.begin()
        pipeline = PartsPipeline(_pipeline_options(options, aid), together, across, digest)
        pages = Pages(together.last, together.first, together.last)
        document = self._lasting.opened(source, pages)
        result, _ = _run(pipeline, document, None, PagesDone(pages.total, lambda *_: None))
        layouts = {layout.number: layout for layout in together.layouts}
        summary = Summary(together.ocr, together.unread_scripts, set(together.drawn))
        read = _Read(looked_at(), layouts, summary)
        return _concluded(result, read, name, options, _ocr(options, aid), aid)

    def forget(self) -> None:
        """Close what is open; see :class:`~docrefinery.engine.base.Parting`."""
        self._lasting.close()


def _run(
    pipeline: GeometricPdfPipeline,
    document: tuple[InputDocument, DocumentBackend],
    recognition: Recognition | None,
    done: PagesDone,
) -> tuple[ConversionResult, DocumentBackend]:
    given, backend = document

    def on_event(event: PageCompletedProgress) -> None:
        # A page that has to be recognised counts when that is done.
        if event.page_no not in backend.awaited:
            done.one_more()

    try:
        return executed(pipeline, given, on_event), backend
    finally:
        if recognition is not None:
            recognition.close()


def _concluded(
    result: ConversionResult, read: _Read, name: str, options: EngineOptions, ocr: Ocr | None, aid: Help
) -> EngineResult:
    failures = judged(read.pages, result, fail_on_partial=bool(options.fail_on_partial))
    document = result.document
    named(document, name)
    describe = _describe(options, aid)
    undescribed = describe_pictures(document, describe, keep_images=options.generate_picture_images)
    lacks = lacking(msgspec.to_builtins(options), ocr, describes=aid.describe is not None)
    scale = (options.images_scale or 1.0) if _images(options, aid) else None
    return EngineResult(
        document=document,
        page_count=read.pages.count,
        pages_total=read.pages.total,
        failed_pages=failures.pages,
        warnings=(
            *read.pages.warnings,
            *(JobWarning(lack.code, f"{lack.consequence}; that would need {lack.missing}") for lack in lacks),
            *script_warnings(read.summary.unread_scripts),
            *layout_warnings(read.layouts, reads=options.do_ocr),
            *size_warnings(read.pages, read.summary.drawn, document, scale),
            *undescribed,
            *page_warnings(failures),
        ),
        engine={
            "name": ENGINE,
            "backend": "pdfium",
            "docling": version("docling-slim"),
            **read.summary.engine,
            **({"picture_description": aid.describer} if described(document, remotely=True) else {}),
        },
    )


def _ocr(options: EngineOptions, aid: Help) -> Ocr | None:
    return held_ocr(aid.ocr_engine) if options.do_ocr else None


def _describe(options: EngineOptions, aid: Help) -> Describe | None:
    return aid.describe if options.do_picture_description else None


def _images(options: EngineOptions, aid: Help) -> bool:
    return options.generate_picture_images or _describe(options, aid) is not None


def _summary(recognition: Recognition | None) -> Summary:
    return recognition.summary if recognition is not None else Summary({}, {}, set())


def _recognition(options: EngineOptions, ocr: Ocr | None, aid: Help, done: PagesDone) -> Recognition | None:
    if ocr is None:
        return None
    return Recognition(
        recognizer_of(ocr, options.ocr_options.lang),
        threads=aid.ocr_threads,
        full_page=options.force_full_page_ocr,
        on_done=done.one_more,
    )


def _pipeline_options(options: EngineOptions, aid: Help) -> GeometricPdfPipelineOptions:
    return GeometricPdfPipelineOptions(
        do_table_structure=options.do_table_structure,
        generate_page_images=False,
        generate_picture_images=_images(options, aid),
        images_scale=options.images_scale or 1.0,
    )
