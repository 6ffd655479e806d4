"""``html``: the document as one HTML file that needs nothing else."""

from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter, hookimpl

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write the page, its style and its figures inside it."""
    from docrefinery_html.page import page

    stream.write(page(document).encode(errors="replace"))


@hookimpl
def docrefinery_exporters() -> list[Exporter]:
    """Return this plugin's one exporter."""
    return [
        Exporter(
            kind="html",
            summary="One HTML file to read and to print, with the figures inside.",
            content_type="text/html; charset=utf-8",
            suffix=".html",
            write=write,
            needs={"generate_picture_images": True},
        )
    ]
