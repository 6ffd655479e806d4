"""``tables_zip``: the tables of a document as CSV files and as one workbook."""

from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter, hookimpl

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write ``tables.xlsx``, and ``table-0001.csv`` and so on, numbered by their place in the document."""
    from docrefinery_tables.archive import archive
    from docrefinery_tables.as_csv import as_csv
    from docrefinery_tables.as_xlsx import as_xlsx

    tables = {f"table-{number:04}": table.data for number, table in enumerate(document.tables, 1)}
    files = {"tables.xlsx": as_xlsx(tables), **{f"{name}.csv": as_csv(table) for name, table in tables.items()}}
    archive(stream, files)


@hookimpl
def docrefinery_exporters() -> list[Exporter]:
    """Return this plugin's one exporter."""
    return [
        Exporter(
            kind="tables_zip",
            summary="The tables of the document, each as a CSV file and all of them as sheets of one XLSX workbook.",
            content_type="application/zip",
            suffix=".tables.zip",
            write=write,
            needs={"do_table_structure": True},
        )
    ]
