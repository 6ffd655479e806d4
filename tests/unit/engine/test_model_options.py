"""What Docling's pipeline is given for each profile: exactly these objects."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from docling.datamodel.accelerator_options import AcceleratorOptions
from docling.datamodel.pipeline_options import (
    OcrMode,
    OcrOptions,
    PictureDescriptionVlmEngineOptions,
    RapidOcrOptions,
    TableStructureOptions,
    TesseractCliOcrOptions,
    ThreadedPdfPipelineOptions,
)

from docrefinery.capabilities import Hardware, Ocr
from docrefinery.engine.base import EngineOptions
from docrefinery.engine.models.options import ocr_options, pipeline_options
from docrefinery.plugin.registry import load
from docrefinery.services.options import Defaults, effective
from docrefinery.settings import Settings

HARDWARE = Hardware(models_folder="/models", device="cuda:1", threads=3, page_batch_size=6, picture_batch_size=2)
TESSERACT = Ocr("tesseract", "5.3.0", ("deu", "eng", "osd"))
NONE = Defaults(tenant=msgspec.Raw(b"{}"), key=msgspec.Raw(b"{}"), profile=None)
DESCRIPTION = PictureDescriptionVlmEngineOptions.from_preset("smolvlm", batch_size=2)
DESCRIPTION.model_spec.extra_generation_config = {"skip_special_tokens": True}
# What holds whatever the profile.
ALWAYS = {
    "artifacts_path": "/models",
    "accelerator_options": AcceleratorOptions(device="cuda:1", num_threads=3),
    "table_structure_options": TableStructureOptions(),
    "picture_description_options": DESCRIPTION,
    "ocr_batch_size": 6,
    "layout_batch_size": 6,
    "table_batch_size": 6,
}
AUTO = TesseractCliOcrOptions(lang=[])
PROFILES: dict[str | None, dict[str, Any]] = {
    None: {"do_ocr": True, "do_table_structure": True, "ocr_options": AUTO},
    "fast_text": {"do_ocr": False, "do_table_structure": False},
    "ocr_only": {
        "do_ocr": True,
        "do_table_structure": False,
        "ocr_options": TesseractCliOcrOptions(lang=[], mode=OcrMode.FULL_PAGE),
    },
    "structured": {
        "do_ocr": True,
        "do_table_structure": True,
        "generate_parsed_pages": True,
        "ocr_options": AUTO,
    },
    "full_vlm": {
        "do_ocr": True,
        "do_table_structure": True,
        "do_picture_description": True,
        "do_picture_classification": True,
        "generate_picture_images": True,
        "images_scale": 2.0,
        "ocr_options": AUTO,
    },
}


def asked(profile: str | None, **requested: Any) -> ThreadedPdfPipelineOptions:
    """Return what Docling is given for a job of a profile."""
    chosen = effective(Settings(), load(()), NONE, profile=profile, requested=requested)
    options = msgspec.convert(chosen.options, EngineOptions)
    return pipeline_options(options, HARDWARE, TESSERACT if options.do_ocr else None, options.ocr_options.lang)


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_gives_docling_these_options_and_no_others(profile: str | None) -> None:
    assert asked(profile) == ThreadedPdfPipelineOptions(**ALWAYS, **PROFILES[profile])


def test_a_request_beats_its_profile() -> None:
    wanted = ThreadedPdfPipelineOptions(
        **ALWAYS, do_ocr=False, do_table_structure=True, generate_parsed_pages=True, images_scale=3.0
    )
    assert asked("structured", ocr=False, images_scale=3.0) == wanted


@pytest.mark.parametrize(
    ("ocr", "languages", "options"),
    [
        (TESSERACT, ["deu", "eng"], TesseractCliOcrOptions(lang=["deu", "eng"])),
        # Docling looks at the script only with the data for it, and would refuse the whole job without.
        (Ocr("tesseract", "5", ("deu", "eng")), ["auto"], TesseractCliOcrOptions(lang=["deu", "eng"])),
    ],
)
def test_languages(ocr: Ocr, languages: list[str], options: OcrOptions) -> None:
    assert ocr_options(ocr, languages, full_page=False) == options


@pytest.mark.parametrize("languages", [["auto"], ["de", "en"]])
def test_rapidocr_reads_every_language_with_the_models_of_its_wheel(languages: list[str]) -> None:
    options = ocr_options(Ocr("rapidocr", "3", ("ch", "de", "en")), languages, full_page=True)
    assert isinstance(options, RapidOcrOptions)
    assert (options.lang, options.mode) == (["ch"], OcrMode.FULL_PAGE)
    paths = [options.det_model_path, options.cls_model_path, options.rec_model_path]
    assert all(path and Path(path).is_file() for path in paths)
