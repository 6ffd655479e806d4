"""The geometric engine as stages of Docling's own PDF pipeline: a layout model and a table structure model.

Docling finds this module through the entry point group ``docling``, if its user allows external plugins::

    options = PdfPipelineOptions(
        allow_external_plugins=True,
        layout_options=GeometricLayoutOptions(),
        table_structure_options=GeometricTableStructureOptions(),
    )
"""

from typing import Any, ClassVar

from docling.datamodel.pipeline_options import BaseLayoutOptions, BaseTableStructureOptions

KIND = "docrefinery_geometric"


class GeometricLayoutOptions(BaseLayoutOptions):
    """Asks Docling for the layout that a page's own geometry tells."""

    kind: ClassVar[str] = KIND


class GeometricTableStructureOptions(BaseTableStructureOptions):
    """Asks Docling for the cells of tables that a page's own geometry tells."""

    kind: ClassVar[str] = KIND


def layout_engines() -> dict[str, list[type[Any]]]:
    """Return the layout models that Docling may create."""
    from docrefinery.engine.geometric.docling_models import GeometricLayoutModel

    return {"layout_engines": [GeometricLayoutModel]}


def table_structure_engines() -> dict[str, list[type[Any]]]:
    """Return the table structure models that Docling may create."""
    from docrefinery.engine.geometric.docling_models import GeometricTableStructureModel

    return {"table_structure_engines": [GeometricTableStructureModel]}
