"""A job's options as Docling's: the table is in ``docs/models.md``."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from docling.datamodel.accelerator_options import AcceleratorOptions
from docling.datamodel.picture_classification_options import DocumentPictureClassifierOptions
from docling.datamodel.pipeline_options import (
    OcrMode,
    OcrOptions,
    PictureDescriptionVlmEngineOptions,
    RapidOcrOptions,
    TableFormerMode,
    TableStructureOptions,
    TesseractCliOcrOptions,
    ThreadedPdfPipelineOptions,
)

from docrefinery.capabilities import Hardware, Ocr
from docrefinery.capabilities.languages import AUTO
from docrefinery.capabilities.ocr import ORIENTATION
from docrefinery.engine.base import EngineOptions


def pipeline_options(
    options: EngineOptions, hardware: Hardware, ocr: Ocr | None = None, languages: Sequence[str] = ()
) -> ThreadedPdfPipelineOptions:
    """Return what Docling's standard pipeline is given for a job.

    Page and size limits and the page range are looked at before, and the time limit is the parent's, which ends the
    process.

    :param ocr: the OCR engine to use; ``None`` uses none.
    :param languages: its own codes.
    """
    asked = ThreadedPdfPipelineOptions(
        artifacts_path=hardware.models_folder,
        accelerator_options=AcceleratorOptions(device=hardware.device, num_threads=hardware.threads),
        do_ocr=options.do_ocr and ocr is not None,
        do_table_structure=options.do_table_structure,
        table_structure_options=TableStructureOptions(mode=TableFormerMode.ACCURATE, do_cell_matching=True),
        do_picture_classification=options.do_picture_classification,
        picture_classification_options=classification_options(),
        do_picture_description=options.do_picture_description,
        picture_description_options=description_options(hardware),
        generate_parsed_pages=options.generate_parsed_pages,
        generate_picture_images=options.generate_picture_images,
        images_scale=options.images_scale or 1.0,
        ocr_batch_size=hardware.page_batch_size,
        layout_batch_size=hardware.page_batch_size,
        table_batch_size=hardware.page_batch_size,
    )
    if ocr is not None:
        asked.ocr_options = ocr_options(ocr, languages, full_page=options.force_full_page_ocr)
    return asked


def classification_options() -> DocumentPictureClassifierOptions:
    """Return the options of Docling's picture classifier."""
    options = DocumentPictureClassifierOptions.from_preset("document_figure_classifier_v2")
    assert isinstance(options, DocumentPictureClassifierOptions)
    return options


def description_options(hardware: Hardware) -> PictureDescriptionVlmEngineOptions:
    """Return the options of Docling's local picture description model."""
    options = PictureDescriptionVlmEngineOptions.from_preset("smolvlm", batch_size=hardware.picture_batch_size)
    assert isinstance(options, PictureDescriptionVlmEngineOptions)
    # Docling decodes the token that ends an answer along with it.
    options.model_spec.extra_generation_config = {"skip_special_tokens": True}
    return options


def ocr_options(ocr: Ocr, languages: Sequence[str], *, full_page: bool) -> OcrOptions:
    """Return an OCR engine's options: ``auto`` is an empty list, with which Tesseract looks at each page's script."""
    mode = OcrMode.FULL_PAGE if full_page else OcrMode.DEFAULT
    asked = [] if AUTO in languages else list(languages)
    if ocr.engine == "tesseract":
        if not asked and ORIENTATION not in ocr.languages:
            # Without the data for it Docling refuses to look; every installed language is then as good a guess.
            asked = list(ocr.languages)
        return TesseractCliOcrOptions(lang=asked, mode=mode)
    # One model reads all its languages: with the same code for each of them it is loaded once.
    return RapidOcrOptions(
        lang=["ch"],
        mode=mode,
        # From RapidOCR's wheel; Docling would look for them in the models folder.
        det_model_path=_rapid_model("PP-OCRv6_det_small.onnx"),
        cls_model_path=_rapid_model("ch_ppocr_mobile_v2.0_cls_mobile.onnx"),
        rec_model_path=_rapid_model("PP-OCRv6_rec_small.onnx"),
    )


def _rapid_model(name: str) -> str:
    spec = find_spec("rapidocr")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "models" / name)
