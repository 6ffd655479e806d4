"""The engine's two models inside Docling's own pipeline, and its pipeline inside Docling's own converter.

Docling's table factory imports torch for its own models; here it is given ours alone.
"""

from importlib.metadata import entry_points
from io import BytesIO
from pathlib import Path

import pytest
from docling.backend.docling_parse_backend import ThreadedDoclingParseDocumentBackend
from docling.backend.pdf_backend import PdfDocumentBackend
from docling.backend.pypdfium2_backend import PyPdfiumDocumentBackend
from docling.datamodel.backend_options import PdfBackendOptions
from docling.datamodel.base_models import (
    Cluster,
    ConversionStatus,
    DocumentStream,
    InputFormat,
    LayoutPrediction,
    Page,
)
from docling.datamodel.document import ConversionResult, InputDocument
from docling.datamodel.pipeline_options import PdfPipelineOptions
from docling.document_converter import DocumentConverter, PdfFormatOption
from docling.models.factories import get_layout_factory
from docling.models.factories.table_factory import TableStructureFactory
from docling.pipeline import standard_pdf_pipeline
from docling_core.types.doc import BoundingBox, CoordOrigin, DocItemLabel, DoclingDocument

from docrefinery.engine.geometric import docling_plugin
from docrefinery.engine.geometric.backend import DocumentBackend
from docrefinery.engine.geometric.docling_models import GeometricLayoutModel, GeometricTableStructureModel
from docrefinery.engine.geometric.docling_plugin import (
    KIND,
    GeometricLayoutOptions,
    GeometricTableStructureOptions,
)
from docrefinery.engine.geometric.pipeline import GeometricPdfPipeline
from tests.support import pdfs
from tests.support.drawn import drawn, grid, paragraph, shown

_ROWS = [["Year", "Boats", "Crews"], *([str(1900 + at), str(31 * at), str(at)] for at in range(1, 5))]
_LINES = ["All of the boats on the river were counted in these years, and so were all", "of their crews."]
_AFTER = ["What they carried was never counted, since nobody had asked for it to be done,", "not even once."]


def report() -> bytes:
    first = (
        shown("1 Boats", 72, 720, size=16, font="F2")
        + paragraph(_LINES, bottom=690)
        + grid(72, 640, _ROWS)
        + paragraph(_AFTER, bottom=520)
        + b"q 200 0 0 100 72 360 cm /Im0 Do Q\n"
        + shown("Figure 1: A boat on the river.", 72, 345, size=9)
        + paragraph(["Nothing else was found."], bottom=310)
    )
    image = b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
    return drawn(
        first,
        paragraph(_AFTER),
        resources=b"/XObject << /Im0 7 0 R >>",
        extra=[b"<< /Length 1 %s >>\nstream\n\x80\nendstream" % image],
    )


def loaded(source: Path | BytesIO, backend: type[PdfDocumentBackend], password: str = "") -> ConversionResult:
    document = InputDocument(
        path_or_stream=source,
        format=InputFormat.PDF,
        backend=backend,
        backend_options=PdfBackendOptions.model_validate({"password": password}) if password else None,
        filename="report.pdf",
    )
    result = ConversionResult(input=document)
    opened = document._backend
    assert isinstance(opened, PdfDocumentBackend)
    for at in range(opened.page_count()):
        page = Page(page_no=at + 1)
        page._backend = opened.load_page(at)
        page.size = page._backend.get_size()
        result.pages.append(page)
    return result


@pytest.fixture(params=["path", "stream"])
def result(request: pytest.FixtureRequest, tmp_path: Path) -> ConversionResult:
    source = tmp_path / "report.pdf"
    source.write_bytes(report())
    return loaded(source if request.param == "path" else BytesIO(report()), PyPdfiumDocumentBackend)


def table_factory() -> TableStructureFactory:
    factory = TableStructureFactory()  # type: ignore[no-untyped-call] # as Docling has it
    factory.process_plugin(docling_plugin.table_structure_engines(), "docrefinery_geometric", docling_plugin.__name__)
    return factory


def test_docling_finds_the_plugin_by_its_entry_point() -> None:
    (found,) = [point for point in entry_points(group="docling") if point.name == KIND]
    assert found.load() is docling_plugin


def test_doclings_factories_create_the_models() -> None:
    layouts = get_layout_factory(allow_external_plugins=True)
    assert KIND in layouts.registered_kind
    arguments = {"artifacts_path": None, "accelerator_options": None, "enable_remote_services": False}
    layout = layouts.create_instance(GeometricLayoutOptions(), **arguments)
    assert isinstance(layout, GeometricLayoutModel)
    tables = table_factory().create_instance(GeometricTableStructureOptions(), enabled=True, **arguments)
    assert isinstance(tables, GeometricTableStructureModel)


def test_without_leave_docling_does_not_load_it() -> None:
    assert KIND not in get_layout_factory(allow_external_plugins=False).registered_kind


def test_clusters_have_labels_and_places_from_the_top(result: ConversionResult) -> None:
    first, second = GeometricLayoutModel(options=GeometricLayoutOptions()).predict_layout(result, result.pages)
    assert sorted(cluster.label.value for cluster in first.clusters) == [
        "caption",
        "picture",
        "section_header",
        "table",
        "text",
        "text",
        "text",
    ]
    assert [cluster.id for cluster in first.clusters] == list(range(7))
    assert [cluster.label for cluster in second.clusters] == [DocItemLabel.TEXT]
    (table,) = [cluster for cluster in first.clusters if cluster.label is DocItemLabel.TABLE]
    assert table.bbox.coord_origin is CoordOrigin.TOPLEFT
    sides = (table.bbox.l, table.bbox.t, table.bbox.r, table.bbox.b)
    assert sides == pytest.approx((72, 792 - 640, 72 + 270, 792 - 550), abs=2)


def test_tables_have_the_cells_of_their_clusters(result: ConversionResult) -> None:
    layout = GeometricLayoutModel(options=GeometricLayoutOptions())
    tables = GeometricTableStructureModel(options=GeometricTableStructureOptions())
    for page in tables(result, layout(result, result.pages)):
        assert page.predictions.layout is not None
        assert page.predictions.tablestructure is not None
    first, second = (page.predictions.tablestructure for page in result.pages)
    assert first is not None
    assert second is not None
    assert second.table_map == {}
    ((number, table),) = first.table_map.items()
    assert (table.id, table.num_rows, table.num_cols) == (number, 5, 3)
    assert [cell.text for cell in table.table_cells] == [text for row in _ROWS for text in row]
    box = table.table_cells[0].bbox
    assert box is not None
    assert box.coord_origin is CoordOrigin.TOPLEFT
    assert (box.l, box.t) == pytest.approx((72, 152), abs=2)


def test_a_cluster_of_another_model_gets_the_table_that_it_is_about(result: ConversionResult) -> None:
    def cluster(number: int, top: float, bottom: float) -> Cluster:
        return Cluster(id=number, label=DocItemLabel.TABLE, bbox=BoundingBox(l=65, t=top, r=350, b=bottom))

    first = result.pages[0]
    first.predictions.layout = LayoutPrediction(clusters=[cluster(4, 145, 250), cluster(9, 400, 500)])
    (found,) = GeometricTableStructureModel(options=GeometricTableStructureOptions()).predict_tables(result, [first])
    assert list(found.table_map) == [4]


def test_a_file_behind_a_password_is_opened_with_that_of_the_backend(tmp_path: Path) -> None:
    source = tmp_path / "report.pdf"
    source.write_bytes(pdfs.encrypted("secret", text="Some words."))
    result = loaded(source, PyPdfiumDocumentBackend, password="secret")
    (found,) = GeometricLayoutModel(options=GeometricLayoutOptions()).predict_layout(result, result.pages)
    assert [cluster.label for cluster in found.clusters] == [DocItemLabel.TEXT]


def test_a_page_that_docling_could_not_read_has_nothing(result: ConversionResult) -> None:
    result.pages[0]._backend = None
    found = GeometricLayoutModel(options=GeometricLayoutOptions()).predict_layout(result, result.pages)
    assert [len(prediction.clusters) for prediction in found] == [0, 1]


@pytest.fixture
def docling(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> DocumentConverter:
    monkeypatch.setattr(standard_pdf_pipeline, "get_table_structure_factory", lambda **_: table_factory())
    options = PdfPipelineOptions(
        allow_external_plugins=True,
        do_ocr=False,
        layout_options=GeometricLayoutOptions(),
        table_structure_options=GeometricTableStructureOptions(),
    )
    backend = PdfFormatOption(pipeline_options=options, backend=request.param)
    return DocumentConverter(format_options={InputFormat.PDF: backend})


def converted(converter: DocumentConverter) -> DoclingDocument:
    result = converter.convert(DocumentStream(name="report.pdf", stream=BytesIO(report())))
    assert (result.status, result.errors) == (ConversionStatus.SUCCESS, [])
    return result.document


def assert_is_the_report(document: DoclingDocument) -> None:
    assert [item.text for item in document.texts if item.label is DocItemLabel.SECTION_HEADER] == ["1 Boats"]
    texts = [item.text for item in document.texts if item.label is DocItemLabel.TEXT]
    assert texts == [" ".join(_LINES), " ".join(_AFTER), "Nothing else was found.", " ".join(_AFTER)]
    (table,) = document.tables
    assert [[cell.text for cell in row] for row in table.data.grid] == _ROWS
    (picture,) = document.pictures
    assert picture.caption_text(document) == "Figure 1: A boat on the river."


@pytest.mark.filterwarnings("ignore:This field is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    "docling",
    [PyPdfiumDocumentBackend, ThreadedDoclingParseDocumentBackend],
    ids=["pdfium", "docling-parse"],
    indirect=True,
)
def test_doclings_standard_pipeline_makes_the_document_with_them(docling: DocumentConverter) -> None:
    assert_is_the_report(converted(docling))


def test_the_engines_own_pipeline_works_in_a_plain_converter() -> None:
    option = PdfFormatOption(
        pipeline_cls=GeometricPdfPipeline,
        pipeline_options=GeometricPdfPipeline.get_default_options(),
        backend=DocumentBackend,
    )
    assert_is_the_report(converted(DocumentConverter(format_options={InputFormat.PDF: option})))
