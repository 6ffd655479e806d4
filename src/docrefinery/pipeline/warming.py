"""A first document for a process that has seen none, so that what is set up with it costs no job its time."""

from pathlib import Path

import pypdfium2 as pdfium

from docrefinery.model import ALWAYS_EXPORTED, DEFAULT_EXPORTS
from docrefinery.pipeline import protocol
from docrefinery.pipeline.child import Child

_UNBOUNDED = 0.0
"""What is answered here is bounded by nothing: the bound would stay with who forks."""


class Nobody:
    """A parent that takes everything and asks for nothing."""

    def send(self, message: protocol.Reply) -> None:
        """Drop a message."""

    def receive(self) -> protocol.Request | None:
        """Return nothing."""
        return None


def warm_up(child: Child, folder: Path) -> None:
    """Have a page converted that was made here, and scanned: with our own exporters, which start no threads.

    What goes wrong goes wrong again with a document, and is told then.
    """
    source = folder / "warm-up.pdf"
    document = pdfium.PdfDocument.new()
    document.new_page(612, 792)
    document.save(source)
    document.close()
    results = folder / "warm-up"
    results.mkdir()
    exports = (*DEFAULT_EXPORTS, ALWAYS_EXPORTED)
    child.answer(
        protocol.Convert(str(source), source.name, str(results), {}, exports, _UNBOUNDED, engine="geometric"), Nobody()
    )
    child.answer(protocol.Scan("basic", str(source), _UNBOUNDED), Nobody())
