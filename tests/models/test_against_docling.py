"""The service's documents are Docling's own: the same as its converter gives, called directly."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from docling.datamodel.base_models import InputFormat
from docling.document_converter import DocumentConverter, PdfFormatOption
from docling_core.types.doc import DoclingDocument

from docrefinery.capabilities import Hardware, installed_ocr
from docrefinery.engine.base import EngineOptions, Help
from docrefinery.engine.models.engine import ModelEngine
from docrefinery.engine.models.loading import load
from docrefinery.engine.models.options import pipeline_options
from docrefinery.plugin.registry import load as registry_of
from tests.models.test_service import REPORT
from tests.support.pdfs import born_digital
from tests.support.scans import english_scan

DOCUMENTS = {"report": REPORT, "born digital": born_digital(), "scan": english_scan()}


@pytest.fixture(scope="module")
def hardware(models_dir: Path) -> Hardware:
    """Return what to load them with: a page at a time, as which pages meet in a batch moves the last bits."""
    return Hardware(models_folder=str(models_dir), device="cpu", threads=2, page_batch_size=1)


@pytest.fixture(scope="module")
def engine(hardware: Hardware) -> ModelEngine:
    """Load the engine."""
    pipeline, models = load(hardware)
    assert pipeline is not None, models.problem
    return ModelEngine(pipeline, models, hardware)


def comparable(document: DoclingDocument) -> dict[str, Any]:
    """Return a document without the name of its file."""
    exported = document.export_to_dict()
    exported["name"] = exported["origin"]["filename"] = ""
    return exported


@pytest.mark.parametrize("profile", ["structured", "full_vlm"])
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_documents_are_identical(
    engine: ModelEngine, hardware: Hardware, tmp_path: Path, kind: str, profile: str
) -> None:
    source = tmp_path / "document.pdf"
    source.write_bytes(DOCUMENTS[kind])
    options = msgspec.convert(dict(registry_of(()).profiles[profile].options), EngineOptions)
    ours = engine.convert(source, "document.pdf", options, lambda _done, _total: None, Help()).document
    asked = pipeline_options(options, hardware, installed_ocr())
    converter = DocumentConverter(format_options={InputFormat.PDF: PdfFormatOption(pipeline_options=asked)})
    # As whoever reads it has it: Docling keeps boxes on their pages then.
    theirs = DoclingDocument.model_validate(converter.convert(source).document)
    assert comparable(ours) == comparable(theirs)
    assert ours.pages
