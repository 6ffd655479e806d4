"""Docling's models as the service uses them: the same limits, progress and words as with the geometric engine."""

import ctypes
import gc
import math
import sys
from importlib.metadata import version
from pathlib import Path

import msgspec
from docling.backend.docling_parse_backend import ThreadedDoclingParseDocumentBackend
from docling.datamodel.base_models import DoclingComponentType, ErrorItem
from docling.datamodel.document import ConversionResult
from docling_core.types.doc import DoclingDocument
from pydantic import ValidationError

from docrefinery.capabilities import Hardware, Models, Ocr, held_ocr, lacking
from docrefinery.engine.base import EngineOptions, EngineResult, Help, OnPage, TooLarge
from docrefinery.engine.describing import describe_pictures, described, drop_empty_descriptions
from docrefinery.engine.models.options import pipeline_options
from docrefinery.engine.models.pipeline import ModelPdfPipeline
from docrefinery.engine.models.tesseract import Notes
from docrefinery.engine.ocr import codes_of
from docrefinery.engine.preflight import preflight
from docrefinery.engine.progress import PagesDone
from docrefinery.engine.quality import look_at_text
from docrefinery.engine.running import executed, judged, named, opened, page_warnings, script_warnings
from docrefinery.engine.sizes import fitting_scale
from docrefinery.errors import ConversionFailed
from docrefinery.model import JobWarning

ENGINE = "docling"
_MOST_PIXELS = 200_000_000
# What Docling's stages have pages drawn at; the layout model sees them at 1.
_TABLE_SCALE, _OCR_SCALE = 2.0, 3.0


class ModelEngine:
    """Docling's standard pipeline with the models that are loaded.

    :param pipeline: as :func:`~docrefinery.engine.models.loading.load` returns it.
    :param models: what it holds.
    """

    def __init__(self, pipeline: ModelPdfPipeline, models: Models, hardware: Hardware) -> None:
        self._pipeline = pipeline
        self._models = models
        self._hardware = hardware

    def convert(self, source: Path, name: str, options: EngineOptions, on_page: OnPage, aid: Help) -> EngineResult:
        """Convert a file; see :class:`~docrefinery.engine.base.Engine`."""
        ocr = held_ocr(aid.ocr_engine) if options.do_ocr else None
        languages = codes_of(ocr, options.ocr_options.lang) if ocr else ()
        pages = preflight(source, options)
        if large := [number for number, size in pages.large.items() if not _can_be_drawn(options, *size)]:
            raise TooLarge(large)
        describe = aid.describe if options.do_picture_description else None
        asked = msgspec.structs.replace(
            options,
            do_picture_classification=options.do_picture_classification and self._holds("picture_classification"),
            # An endpoint that the operator names is preferred to the model at hand.
            do_picture_description=(
                options.do_picture_description and describe is None and self._holds("picture_description")
            ),
            generate_picture_images=options.generate_picture_images or describe is not None,
        )
        pipeline = self._pipeline.for_job(pipeline_options(asked, self._hardware, ocr, languages))
        done = PagesDone(pages.total, on_page)
        given, _ = opened(source, pages, ThreadedDoclingParseDocumentBackend)
        try:
            result = executed(pipeline, given, lambda _: done.one_more())
        finally:
            _give_memory_back()
        _add_unread(result, pipeline.read_notes)
        failures = judged(pages, result, fail_on_partial=bool(options.fail_on_partial))
        document = _valid(result.document)
        named(document, name)
        undescribed = [
            *drop_empty_descriptions(document),
            *describe_pictures(document, describe, keep_images=options.generate_picture_images),
        ]
        lacks = lacking(msgspec.to_builtins(options), ocr, describes=aid.describe is not None, models=self._models)
        return EngineResult(
            document=document,
            page_count=pages.count,
            pages_total=pages.total,
            failed_pages=failures.pages,
            warnings=(
                *pages.warnings,
                *(JobWarning(lack.code, f"{lack.consequence}; that would need {lack.missing}") for lack in lacks),
                *script_warnings(pipeline.read_notes.unread_scripts),
                *look_at_text(source, pages, reads=ocr is not None),
                *undescribed,
                *page_warnings(failures),
            ),
            engine=self._told(asked, result, ocr, pipeline.read_notes, aid),
        )

    def _holds(self, part: str) -> bool:
        return part in self._models.held

    def _told(
        self, asked: EngineOptions, result: ConversionResult, ocr: Ocr | None, notes: Notes, aid: Help
    ) -> dict[str, str]:
        """Return model and version of each stage that ran: of those after layout, if there was anything for it."""
        document = result.document
        ran = {
            "layout": True,
            "tables": asked.do_table_structure and bool(document.tables),
            "picture_classification": any(each.meta and each.meta.classification for each in document.pictures),
            "picture_description": described(document, remotely=False),
        }
        recognised = ocr is not None and any(
            not math.isnan(page.ocr_score) for page in result.confidence.pages.values()
        )
        return {
            "name": ENGINE,
            "backend": f"docling-parse {version('docling-parse')}",
            "docling": version("docling-slim"),
            "torch": version("torch"),
            "device": self._models.device,
            **{part: self._models.held[part] for part, on in ran.items() if on},
            **({"picture_description": aid.describer} if described(document, remotely=True) else {}),
            **({"ocr": f"{ocr.engine} {ocr.version}"} if recognised and ocr is not None else {}),
            **({"ocr_languages": "+".join(notes.languages)} if recognised and notes.languages else {}),
        }


def _can_be_drawn(options: EngineOptions, width: float, height: float) -> bool:
    """Whether Docling's stages, each of which has its own scale, can be given pictures of a page of this size."""
    scales = (
        options.images_scale or 1.0,
        _TABLE_SCALE if options.do_table_structure else 1.0,
        _OCR_SCALE if options.do_ocr else 1.0,
    )
    return fitting_scale(max(scales), width, height, _MOST_PIXELS) == max(scales)


def _valid(document: DoclingDocument) -> DoclingDocument:
    """Return a document as Docling reads it: boxes stay on their pages, and items of lists are in lists.

    :raises ConversionFailed: if Docling would not read it.
    """
    try:
        return DoclingDocument.model_validate(document)
    except ValidationError as error:
        raise ConversionFailed(
            "Docling's models made a document that Docling does not read; the profile fast_text converts without them: "
            f"{error}"
        ) from error


def _add_unread(result: ConversionResult, notes: Notes) -> None:
    """Count a page that could not be read as one that failed, which Docling does not."""
    result.errors += [
        ErrorItem(
            component_type=DoclingComponentType.MODEL,
            module_name="ocr",
            error_message=f"page {page} could not be read: {reason}",
            page_no=page,
        )
        for page, reason in sorted(notes.failed.items())
    ]


def _give_memory_back() -> None:
    """Free what a document leaves in circles, and the pages of the heap that it filled, to the system."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
