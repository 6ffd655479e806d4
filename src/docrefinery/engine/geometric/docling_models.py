"""Docling's two stages that ask what is on a page, answered page by page: what takes several pages is not seen here."""

from collections.abc import Generator, Sequence
from contextlib import closing
from io import BytesIO

import pypdfium2 as pdfium
from docling.backend.pdf_backend import PdfDocumentBackend
from docling.datamodel.base_models import (
    Cluster,
    LayoutPrediction,
    Page,
    Table,
    TableStructurePrediction,
)
from docling.datamodel.document import ConversionResult
from docling.models.base_layout_model import TABLE_LABELS, BaseLayoutModel
from docling.models.base_table_model import BaseTableStructureModel
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc import ContentLayer, DocItem, DocItemLabel, DoclingDocument, TableItem

from docrefinery.engine.geometric.assembly.assemble import assemble
from docrefinery.engine.geometric.docling_plugin import GeometricLayoutOptions, GeometricTableStructureOptions
from docrefinery.engine.geometric.page import layout_of
from docrefinery.engine.geometric.reading.page import read_page

_SAME = 0.5
"""Intersection over union from which a cluster and a table are one."""
_CLUSTER_LABELS = {DocItemLabel.TITLE: DocItemLabel.SECTION_HEADER}
"""Docling's pages have no titles, and drop what is labelled as one."""


class GeometricLayoutModel(BaseLayoutModel):
    """Tells where the items of a page are, and what they are; Docling puts the text into them."""

    def __init__(self, *, options: GeometricLayoutOptions, **_: object) -> None:
        self.options = options

    @classmethod
    def get_options_type(cls) -> type[GeometricLayoutOptions]:
        """Return the options that choose this model."""
        return GeometricLayoutOptions

    def predict_layout(self, conv_res: ConversionResult, pages: Sequence[Page]) -> Sequence[LayoutPrediction]:
        """Return the clusters of each page, in reading order.

        :raises pypdfium2.PdfiumError: if the file or a page cannot be opened.
        """
        return [LayoutPrediction(clusters=_clusters(document)) for document in _documents(conv_res, pages)]


class GeometricTableStructureModel(BaseTableStructureModel):
    """Tells the cells of tables, whichever layout model has found those.

    :param enabled: whether the pipeline is to ask at all.
    """

    def __init__(self, *, options: GeometricTableStructureOptions, enabled: bool = True, **_: object) -> None:
        self.options = options
        self.enabled = enabled

    @classmethod
    def get_options_type(cls) -> type[GeometricTableStructureOptions]:
        """Return the options that choose this model."""
        return GeometricTableStructureOptions

    def predict_tables(self, conv_res: ConversionResult, pages: Sequence[Page]) -> Sequence[TableStructurePrediction]:
        """Return the tables of each page by their cluster; a cluster that is no table for us has none.

        :raises pypdfium2.PdfiumError: if the file or a page cannot be opened.
        """
        wanted = [_table_clusters(page) for page in pages]
        asked = [page for page, clusters in zip(pages, wanted, strict=True) if clusters]
        with closing(_documents(conv_res, asked)) as documents:
            return [
                _tables(page, clusters, next(documents)) if clusters else TableStructurePrediction()
                for page, clusters in zip(pages, wanted, strict=True)
            ]


def _documents(conv_res: ConversionResult, pages: Sequence[Page]) -> Generator[DoclingDocument]:
    """Yield a document of each page alone; an empty one of a page that Docling could not read."""
    if not pages:
        return
    opened = _opened(conv_res)
    try:
        for page in pages:
            yield _document(opened, page)
    finally:
        with pypdfium2_lock:
            opened.close()


def _opened(conv_res: ConversionResult) -> pdfium.PdfDocument:
    backend = conv_res.input._backend
    assert isinstance(backend, PdfDocumentBackend)
    source, password = backend.path_or_stream, backend.options.password
    # Bytes of its own: another thread may be reading, and so moving, the stream.
    content = source.getvalue() if isinstance(source, BytesIO) else source
    with pypdfium2_lock:
        return pdfium.PdfDocument(content, password=password.get_secret_value() if password else None)


def _document(opened: pdfium.PdfDocument, page: Page) -> DoclingDocument:
    if page._backend is None or not page._backend.is_valid():
        return DoclingDocument(name="page")
    with pypdfium2_lock:
        native = opened[page.page_no - 1]
        try:
            content = read_page(opened, native, page.page_no)
        finally:
            native.close()
    return assemble([layout_of(content)])


def _clusters(document: DoclingDocument) -> list[Cluster]:
    # Labels in pictures are left out: what Docling finds in a picture it makes a part of that.
    items = document.iterate_items(included_content_layers=set(ContentLayer))
    found = [(item.label, place) for item, _ in items if isinstance(item, DocItem) for place in item.prov]
    return [
        Cluster(
            id=number,
            label=_CLUSTER_LABELS.get(label, label),
            bbox=place.bbox.to_top_left_origin(document.pages[place.page_no].size.height),
        )
        for number, (label, place) in enumerate(found)
    ]


def _table_clusters(page: Page) -> list[Cluster]:
    layout = page.predictions.layout
    return [cluster for cluster in layout.clusters if cluster.label in TABLE_LABELS] if layout is not None else []


def _tables(page: Page, clusters: Sequence[Cluster], document: DoclingDocument) -> TableStructurePrediction:
    found = ((cluster, _table_of(cluster, document)) for cluster in clusters)
    return TableStructurePrediction(
        table_map={cluster.id: _structure(page, cluster, table, document) for cluster, table in found if table}
    )


def _table_of(cluster: Cluster, document: DoclingDocument) -> TableItem | None:
    def shared(table: TableItem) -> float:
        (place,) = table.prov
        box = place.bbox.to_top_left_origin(document.pages[place.page_no].size.height)
        return cluster.bbox.intersection_over_union(box)

    best = max(document.tables, key=shared, default=None)
    return best if best is not None and shared(best) >= _SAME else None


def _structure(page: Page, cluster: Cluster, table: TableItem, document: DoclingDocument) -> Table:
    height = document.pages[page.page_no].size.height
    for cell in table.data.table_cells:
        if cell.bbox is not None:
            cell.bbox = cell.bbox.to_top_left_origin(height)
    return Table(
        id=cluster.id,
        label=cluster.label,
        page_no=page.page_no,
        cluster=cluster,
        otsl_seq=[],
        num_rows=table.data.num_rows,
        num_cols=table.data.num_cols,
        table_cells=table.data.table_cells,
    )
