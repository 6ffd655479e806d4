"""The geometric engine as the service uses it: limits, OCR where a page says nothing, pictures, and what to tell."""

from importlib.metadata import version
from pathlib import Path

import msgspec
from docling.datamodel.progress import PageCompletedProgress

from docrefinery.capabilities import Ocr, installed_ocr, lacking
from docrefinery.engine.base import EngineOptions, EngineResult, Help, OnPage
from docrefinery.engine.describing import describe_pictures, described
from docrefinery.engine.geometric.backend import DocumentBackend
from docrefinery.engine.geometric.pipeline import GeometricPdfPipeline, GeometricPdfPipelineOptions
from docrefinery.engine.ocr import recognizer_of
from docrefinery.engine.ocr.recognition import Recognition
from docrefinery.engine.preflight import preflight
from docrefinery.engine.progress import PagesDone
from docrefinery.engine.running import executed, judged, named, opened, page_warnings, script_warnings
from docrefinery.engine.telling import layout_warnings, size_warnings
from docrefinery.model import JobWarning

ENGINE = "geometric"


class GeometricEngine:
    """Structure from the page's own geometry, and recognised text where there is none."""

    def convert(self, source: Path, name: str, options: EngineOptions, on_page: OnPage, aid: Help) -> EngineResult:
        """Convert a file; see :class:`~docrefinery.engine.base.Engine`."""
        ocr = installed_ocr(aid.ocr_engine) if options.do_ocr else None
        pages = preflight(source, options)
        done = PagesDone(pages.total, on_page)
        recognition = _recognition(options, ocr, aid, done)
        describe = aid.describe if options.do_picture_description else None
        images = options.generate_picture_images or describe is not None
        pipeline = GeometricPdfPipeline(_pipeline_options(options, images=images), recognition)
        given, backend = opened(source, pages, DocumentBackend)

        def on_event(event: PageCompletedProgress) -> None:
            # A page that has to be recognised counts when that is done.
            if event.page_no not in backend.awaited:
                done.one_more()

        try:
            result = executed(pipeline, given, on_event)
        finally:
            if recognition is not None:
                recognition.close()
        failures = judged(pages, result, fail_on_partial=bool(options.fail_on_partial))
        document = result.document
        named(document, name)
        undescribed = describe_pictures(document, describe, keep_images=options.generate_picture_images)
        lacks = lacking(msgspec.to_builtins(options), ocr, describes=aid.describe is not None)
        return EngineResult(
            document=document,
            page_count=pages.count,
            pages_total=pages.total,
            failed_pages=failures.pages,
            warnings=(
                *pages.warnings,
                *(JobWarning(lack.code, f"{lack.consequence}; that would need {lack.missing}") for lack in lacks),
                *(script_warnings(recognition.summary.unread_scripts) if recognition is not None else ()),
                *layout_warnings(backend.layouts, reads=options.do_ocr),
                *size_warnings(
                    pages,
                    recognition.drawn if recognition is not None else (),
                    document,
                    (options.images_scale or 1.0) if images else None,
                ),
                *undescribed,
                *page_warnings(failures),
            ),
            engine={
                "name": ENGINE,
                "backend": "pdfium",
                "docling": version("docling-slim"),
                **(recognition.summary.engine if recognition is not None else {}),
                **({"picture_description": aid.describer} if described(document, remotely=True) else {}),
            },
        )


def _recognition(options: EngineOptions, ocr: Ocr | None, aid: Help, done: PagesDone) -> Recognition | None:
    if ocr is None:
        return None
    return Recognition(
        recognizer_of(ocr, options.ocr_options.lang),
        threads=aid.ocr_threads,
        full_page=options.force_full_page_ocr,
        on_done=done.one_more,
    )


def _pipeline_options(options: EngineOptions, *, images: bool) -> GeometricPdfPipelineOptions:
    return GeometricPdfPipelineOptions(
        do_table_structure=options.do_table_structure,
        generate_page_images=False,
        generate_picture_images=images,
        images_scale=options.images_scale or 1.0,
    )
