"""Documents of the geometric engine, as what is in them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from docling_core.types.doc import ContentLayer, SectionHeaderItem

from docrefinery.engine.geometric import assemble, read, read_outline

Texts = list[tuple[str, str]]
"""Label and text of each item; the label of a heading has its level."""
Assembled = Callable[[bytes], Texts]


@pytest.fixture
def assembled(tmp_path: Path) -> Assembled:
    """Return what turns a PDF's bytes to the texts of its document."""

    def texts(content: bytes) -> Texts:
        source = tmp_path / "document.pdf"
        source.write_bytes(content)
        document = assemble(list(read(source)), outline=read_outline(source))
        items = (item for item, _ in document.iterate_items(included_content_layers={*ContentLayer}))
        return [
            (f"heading {item.level}" if isinstance(item, SectionHeaderItem) else str(item.label.value), item.text)
            for item in items
            if hasattr(item, "text") and hasattr(item, "label")
        ]

    return texts
