"""A document with structure through the converter: what comes out loads back with Docling's own loaders."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docling.datamodel.base_models import DocumentStream, InputFormat
from docling.document_converter import DocumentConverter
from docling_core.types.doc import DoclingDocument, SectionHeaderItem
from docling_core.types.doc.document import DocTagsDocument
from PIL import Image

from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.outcomes import Converted, Task
from tests.integration.pipeline.conftest import ignore

REPORT = Path(__file__).parents[2] / "data" / "harbour-report.pdf"
EXPORTS = ("docling_json", "markdown", "text", "doctags", "chunks_json", "figures_zip")
HEADINGS = [
    (1, "1 Ships and masters"),
    (1, "2 What was counted"),
    (1, "3 Tolls and tides"),
    (2, "How the tolls were reckoned"),
]
Tasks = Callable[..., Task]


@pytest.fixture
async def found(converter: Converter, task: Tasks) -> dict[str, bytes]:
    outcome = await converter.convert(
        task(REPORT.read_bytes(), *EXPORTS, do_table_structure=True, images_scale=2.0), ignore
    )
    assert isinstance(outcome, Converted)
    assert outcome.warnings == ()
    assert outcome.engine["name"] == "geometric"
    return {artifact.kind: artifact.path.read_bytes() for artifact in outcome.artifacts}


def headings(document: DoclingDocument) -> list[tuple[int, str]]:
    return [(item.level, item.text) for item, _ in document.iterate_items() if isinstance(item, SectionHeaderItem)]


def test_json_has_headings_tables_with_spans_and_figures(found: dict[str, bytes]) -> None:
    document = DoclingDocument.model_validate_json(found["docling_json"])
    assert headings(document) == HEADINGS
    first, second = document.tables
    assert (first.data.num_rows, first.data.num_cols) == (5, 5)
    spans = {cell.text: (cell.row_span, cell.col_span) for cell in first.data.table_cells if cell.column_header}
    assert spans["Cargo"] == (2, 1)
    assert spans["1921"] == spans["1922"] == (1, 2)
    assert [cell.text for cell in second.data.grid[1]] == ["October", "31", "104.50", "3.37"]
    assert [table.caption_text(document).split(":")[0] for table in document.tables] == ["Table 1", "Table 2"]
    [picture] = document.pictures
    assert picture.caption_text(document).startswith("Figure 1: Tolls taken")


def test_doctags_load_back(found: dict[str, bytes]) -> None:
    tags = DocTagsDocument.from_doctags_and_image_pairs([found["doctags"].decode()], None)
    document = DoclingDocument.load_from_doctags(tags)
    assert headings(document) == HEADINGS
    assert [(table.data.num_rows, table.data.num_cols) for table in document.tables] == [(5, 5), (5, 4)]
    assert len(document.pictures) == 1


def test_markdown_loads_back(found: dict[str, bytes]) -> None:
    stream = DocumentStream(name="report.md", stream=io.BytesIO(found["markdown"]))
    document = DocumentConverter(allowed_formats=[InputFormat.MD]).convert(stream).document
    assert [text for _, text in headings(document)] == [text for _, text in HEADINGS]
    # Docling's Markdown has one header row: two become one.
    assert [(table.data.num_rows, table.data.num_cols) for table in document.tables] == [(4, 5), (5, 4)]
    assert "rate = 0.5 if timber else 1.0" in found["markdown"].decode()


def test_text_goes_on_over_columns_and_pages_without_a_break(found: dict[str, bytes]) -> None:
    text = found["text"].decode()
    assert "They were bound in oilcloth by a carpenter" in text
    assert "doubled for those who came in after the beacon" in text


def test_chunks_hold_the_doctags(found: dict[str, bytes]) -> None:
    assert json.loads(found["chunks_json"])["content"] == found["doctags"].decode()


def test_the_figure_is_cut_out_with_its_labels(found: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(found["figures_zip"])) as archive:
        [name] = archive.namelist()
        image = Image.open(io.BytesIO(archive.read(name)))
    assert image.width > 350
    assert image.height > 150
