"""How jobs end on Docling's models: limits, missing pages, memory, text that could not be read, memory given back."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pandas as pd
import psutil
import pytest
from docling.models.stages.layout.layout_object_detection_model import LayoutObjectDetectionModel
from docling.models.stages.ocr.tesseract_ocr_cli_model import TesseractOcrCliModel

from docrefinery.capabilities import Hardware, installed_ocr
from docrefinery.engine.base import Described, EngineOptions, EngineResult, Help, OcrLanguages
from docrefinery.engine.models.engine import ModelEngine
from docrefinery.engine.models.loading import load
from docrefinery.engine.models.options import pipeline_options
from docrefinery.engine.models.pipeline import ModelPdfPipeline
from docrefinery.engine.models.tesseract import TellingTesseract
from docrefinery.errors import ConversionFailed, FileTooLarge
from docrefinery.plugin.registry import load as registry_of
from tests.models.test_service import REPORT
from tests.support.scans import english_scan, joined

ENGLISH: dict[str, Any] = {"do_ocr": True, "ocr_options": OcrLanguages(("en",))}
DEADLY = """#!/bin/sh
here=$(dirname "$0")
case "$* $(ls "$here")" in
*" tsv "*killed*) ;;
*" tsv "*once*) touch "$here/killed"; kill -9 $$ ;;
*" tsv "*) kill -9 $$ ;;
esac
exec tesseract "$@"
"""
LAYOUT = LayoutObjectDetectionModel.predict_layout


@pytest.fixture(scope="module")
def loaded(models_dir: Path) -> tuple[ModelEngine, Hardware]:
    """Load the engine; pages come to a model one by one."""
    hardware = Hardware(models_folder=str(models_dir), device="cpu", threads=2, page_batch_size=1)
    pipeline, models = load(hardware)
    assert pipeline is not None, models.problem
    return ModelEngine(pipeline, models, hardware), hardware


class Run:
    """Converts."""

    def __init__(self, engine: ModelEngine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self.pages: list[tuple[int, int]] = []

    def __call__(self, content: bytes, aid: Help | None = None, **options: Any) -> EngineResult:
        source = self._folder / "source.pdf"
        source.write_bytes(content)
        asked = msgspec.structs.replace(EngineOptions(), **options)
        return self._engine.convert(source, "source.pdf", asked, lambda *seen: self.pages.append(seen), aid or Help())


@pytest.fixture
def run(loaded: tuple[ModelEngine, Hardware], tmp_path: Path) -> Run:
    """Return what converts."""
    return Run(loaded[0], tmp_path)


def failing(pages: set[int], error: Exception) -> Callable[..., Any]:
    """Return a layout model that fails on some pages."""

    def predict(self: Any, conv_res: Any, pages_given: Any) -> Any:
        given = list(pages_given)
        if {page.page_no for page in given} & pages:
            raise error
        return LAYOUT(self, conv_res, given)

    return predict


@pytest.fixture
def broken() -> Iterator[Callable[..., None]]:
    """Return what makes the layout model fail on pages."""
    patches: list[Any] = []

    def break_on(pages: set[int], error: Exception) -> None:
        patches.append(patch.object(LayoutObjectDetectionModel, "predict_layout", failing(pages, error)))
        patches[-1].start()

    yield break_on
    for each in patches:
        each.stop()


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a Tesseract that dies while it reads, in the place of the real one."""
    program = tmp_path / "bin/tesseract"
    program.parent.mkdir()
    program.write_text(DEADLY)
    program.chmod(0o755)
    made = TellingTesseract.__init__

    def with_it(self: TellingTesseract, **given: Any) -> None:
        made(self, **given)
        self._safe_tesseract_cmd = str(program)

    monkeypatch.setattr(TellingTesseract, "__init__", with_it)
    monkeypatch.setattr(ModelPdfPipeline, "_ocr_model", ModelPdfPipeline._new_ocr_model)
    return program


def test_pages_are_told_one_by_one(run: Run) -> None:
    run(REPORT)
    assert run.pages == [(0, 2), (1, 2), (2, 2)]


def test_a_page_that_fails_is_missing_and_told(run: Run, broken: Callable[..., None]) -> None:
    broken({2}, RuntimeError("no idea"))
    result = run(REPORT)
    assert (result.pages_total, result.failed_pages) == (2, (2,))
    [warning] = [each for each in result.warnings if each.code == "PAGES_FAILED"]
    assert "no idea" in warning.message
    with pytest.raises(ConversionFailed, match="1 of 2 pages could not be converted, and fail_on_partial is set"):
        run(REPORT, fail_on_partial=True)


def test_a_document_without_a_good_page_fails(run: Run, broken: Callable[..., None]) -> None:
    broken({1, 2}, RuntimeError("no idea"))
    with pytest.raises(ConversionFailed, match="no page could be converted"):
        run(REPORT)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")],
)
def test_memory_that_runs_out_is_no_missing_page(run: Run, broken: Callable[..., None], error: Exception) -> None:
    broken({2}, error)
    with pytest.raises(MemoryError):
        run(REPORT)


def test_a_file_that_is_too_large_is_refused(run: Run) -> None:
    with pytest.raises(FileTooLarge):
        run(REPORT, max_file_size=100)


@pytest.mark.skipif(getattr(installed_ocr(), "engine", "") != "tesseract", reason="Tesseract is not installed")
class TestTesseract:
    """What Docling only logs."""

    def test_the_languages_are_named(self, run: Run) -> None:
        result = run(english_scan(), **ENGLISH)
        assert result.engine["ocr"].startswith("tesseract ")
        assert result.engine["ocr_languages"] == "eng"

    def test_a_script_that_no_language_is_installed_for_is_told_and_latin_is_read(self, run: Run) -> None:
        read = run(english_scan(), do_ocr=True)
        assert read.engine["ocr_languages"] in ("eng", "script/Latin")
        assert read.warnings == ()
        with patch.object(TesseractOcrCliModel, "_perform_osd", greek):
            result = run(english_scan(2), do_ocr=True)
        [warning] = result.warnings
        assert warning.code == "OCR_SCRIPT_NOT_INSTALLED"
        assert "text in the script Greek on pages 1, 2 was not read" in warning.message

    def test_a_page_whose_tesseract_is_killed_is_missing(self, run: Run, deadly: Path) -> None:
        with pytest.raises(ConversionFailed, match="page 1 could not be read: Tesseract ended with -9"):
            run(english_scan(), **ENGLISH)
        # From now on it kills itself once.
        deadly.with_name("once").touch()
        result = run(english_scan(2), **ENGLISH)
        assert len(result.failed_pages) == 1
        [warning] = [each for each in result.warnings if each.code == "PAGES_FAILED"]
        assert "could not be read: Tesseract ended with -9" in warning.message
        assert run(english_scan(2), **ENGLISH).failed_pages == ()


def greek(*_: Any) -> Any:
    """Answer as Tesseract does that looked at a Greek page."""
    return pd.DataFrame({"key": ["Orientation in degrees", "Rotate", "Script"], "value": ["0", "0", " Greek"]})


def test_what_docling_receives_is_what_the_profile_asks_for(loaded: tuple[ModelEngine, Hardware], run: Run) -> None:
    _, hardware = loaded
    profile = dict(registry_of(()).profiles["full_vlm"].options)
    options = msgspec.convert(profile, EngineOptions)
    expected = pipeline_options(options, hardware, installed_ocr(), ["auto"])
    received = []
    make = ModelPdfPipeline.for_job

    def spy(self: ModelPdfPipeline, asked: Any) -> ModelPdfPipeline:
        received.append(asked)
        return make(self, asked)

    with patch.object(ModelPdfPipeline, "for_job", spy):
        run(REPORT, **msgspec.structs.asdict(options))
        # Whoever else describes the pictures, Docling is not to.
        remote = Help(describe=lambda pictures: [Described("A harbour.") for _ in pictures], describer="eyes-1")
        told = run(REPORT, remote, **msgspec.structs.asdict(options)).engine
    assert received == [expected, expected.model_copy(update={"do_picture_description": False})]
    assert told["picture_description"] == "eyes-1"


def test_stages_without_work_are_not_named(run: Run) -> None:
    everything: dict[str, Any] = {
        "do_table_structure": True,
        "do_picture_classification": True,
        "do_picture_description": True,
    }
    with patch.object(LayoutObjectDetectionModel, "predict_layout", nothing_found):
        told = run(REPORT, **everything).engine
    assert not {"tables", "picture_classification", "picture_description"} & told.keys()
    assert "layout" in told


def nothing_found(self: Any, conv_res: Any, pages: Any) -> Any:
    """Find no cluster on any page."""
    predictions = LAYOUT(self, conv_res, pages)
    for prediction in predictions:
        prediction.clusters = []
    return predictions


def test_a_document_gives_its_memory_back(run: Run) -> None:
    pages = joined(*[REPORT] * 10)
    asked: dict[str, Any] = {"generate_picture_images": True, "images_scale": 2.0}
    run(pages, **asked)
    gc.collect()
    before = psutil.Process().memory_info().rss
    for _ in range(3):
        run(pages, **asked)
    grown = psutil.Process().memory_info().rss - before
    # Kept, the pages' pictures alone would be 600 MB.
    assert grown < 250 * 2**20
