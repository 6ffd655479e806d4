"""``figures_zip``: the pictures of the document as PNG files in an archive."""

import io
import zipfile
from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument

# The earliest time an archive can hold: the same pictures make the same bytes whenever they are written.
_WHEN = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write ``figure-0001.png`` and so on, numbered by their place in the document; maybe none at all."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for number, picture in enumerate(document.pictures, 1):
            image = picture.get_image(document)
            if image is None:
                continue
            png = io.BytesIO()
            image.save(png, format="PNG")
            entry = zipfile.ZipInfo(f"figure-{number:04}.png", _WHEN)
            entry.external_attr = _PLAIN_FILE
            entry.create_system = 3
            archive.writestr(entry, png.getvalue())


FIGURES_ZIP = Exporter(
    kind="figures_zip",
    summary="The pictures of the document as PNG files; the archive may be empty.",
    content_type="application/zip",
    suffix=".figures.zip",
    write=write,
    needs={"generate_picture_images": True},
    cost=16,
)
