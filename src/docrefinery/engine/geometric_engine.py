"""The geometric engine as the service uses it: limits, OCR where a page says nothing, pictures, and what to tell."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec
from docling.datamodel.progress import PageCompletedProgress

from docrefinery.capabilities import Ocr, installed_ocr, lacking
from docrefinery.engine.base import EngineOptions, EngineResult, Help, OnPage
from docrefinery.engine.describing import describe_pictures, described
from docrefinery.engine.geometric.backend import DocumentBackend
from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.pipeline import GeometricPdfPipeline, GeometricPdfPipelineOptions
from docrefinery.engine.ocr import recognizer_of
from docrefinery.engine.ocr.need import GARBLED
from docrefinery.engine.ocr.recognition import Recognition
from docrefinery.engine.preflight import preflight
from docrefinery.engine.progress import PagesDone
from docrefinery.engine.running import executed, judged, listed, named, opened, page_warnings, script_warnings
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
                *(JobWarning(lack.code, f"{lack.consequence}; that would need {lack.missing}") for lack in lacks),
                *(script_warnings(recognition.summary.unread_scripts) if recognition is not None else ()),
                *_layout_warnings(backend.layouts, reads=options.do_ocr),
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


def _layout_warnings(found: Mapping[int, Layout], *, reads: bool) -> Iterator[JobWarning]:
    layouts = [layout for _, layout in sorted(found.items())]
    if garbled := [layout.number for layout in layouts if layout.garbled > GARBLED]:
        yield JobWarning(
            "GARBLED_TEXT",
            f"the fonts on {listed(garbled)} do not say what their letters mean, so that the text is partly wrong; "
            "the profile ocr_only reads it from the picture",
        )
    silent = [layout.number for layout in layouts if not reads and not layout.lines and _shows_picture(layout)]
    if silent:
        yield JobWarning(
            "NO_TEXT", f"{listed(silent)} has no text of its own, only a picture; the profile ocr_only reads it"
        )
    if plain := [layout for layout in layouts if layout.plain]:
        pages = listed([layout.number for layout in plain])
        yield JobWarning(
            "PAGE_TOO_COMPLEX", f"{pages} came out as plain lines in the order of the file: {plain[0].plain}"
        )


def _shows_picture(layout: Layout) -> bool:
    return any(isinstance(element, Figure) for column in layout.columns for element in column)
