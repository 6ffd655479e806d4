"""The engine as a pipeline of Docling's: many documents at a time, and what an OCR'd page that fails costs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from docling.datamodel.base_models import InputFormat
from docling.datamodel.document import InputDocument
from docling.document_converter import DocumentConverter, PdfFormatOption

from docrefinery.engine.geometric.backend import DocumentBackend
from docrefinery.engine.geometric.model import Page
from docrefinery.engine.geometric.page import layout_of
from docrefinery.engine.geometric.pipeline import GeometricPdfPipeline, GeometricPdfPipelineOptions
from tests.support import pdfs


def converter() -> DocumentConverter:
    option = PdfFormatOption(pipeline_cls=GeometricPdfPipeline, backend=DocumentBackend)
    return DocumentConverter([InputFormat.PDF], {InputFormat.PDF: option})


def test_two_documents_at_a_time_keep_to_themselves(tmp_path: Path) -> None:
    one = converter()
    paths = []
    for name in ("first", "second"):
        paths.append(tmp_path / f"{name}.pdf")
        paths[-1].write_bytes(pdfs.born_digital(40, f"What the {name} one says."))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one.convert, paths * 2))
    for path, result in zip(paths * 2, results, strict=True):
        said = {item.text for item in result.document.texts if item.text.startswith("What")}
        assert said == {f"What the {path.stem} one says."}


class _Slow:
    """Recognises every page, as an engine does, and changes nothing."""

    def consider(self, _content: Page, _page: pdfium.PdfPage) -> bool:
        return True

    def finish(self) -> dict[int, str]:
        return {}


def test_a_recognised_page_that_cannot_be_laid_out_costs_that_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(page: Page, *, tables: bool) -> object:
        if page.number == 2:
            raise ValueError("it does")
        return layout_of(page, tables=tables)

    monkeypatch.setattr("docrefinery.engine.geometric.pipeline.layout_of", fails)
    path = tmp_path / "three.pdf"
    path.write_bytes(pdfs.born_digital(3))
    document = InputDocument(path_or_stream=path, format=InputFormat.PDF, backend=DocumentBackend)
    result = GeometricPdfPipeline(GeometricPdfPipelineOptions(), _Slow()).execute(document, raises_on_error=True)
    assert list(result.document.pages) == [1, 3]
    assert [(error.page_no, error.error_message) for error in result.errors] == [(2, "Page failed to parse: it does")]


def test_another_backend_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "one.pdf"
    path.write_bytes(pdfs.born_digital())
    other = DocumentConverter([InputFormat.PDF], {InputFormat.PDF: PdfFormatOption(pipeline_cls=GeometricPdfPipeline)})
    with pytest.raises(RuntimeError) as caught:
        other.convert(path)
    assert "DocumentBackend" in str(caught.value.__cause__)
