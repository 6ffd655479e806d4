"""What is told of a page's own text, whichever engine converts."""

from pathlib import Path

import pypdfium2 as pdfium
import pytest

from docrefinery.engine.preflight import Pages
from docrefinery.engine.quality import look_at_text
from tests.support import pdfs, scans
from tests.support.drawn import composite_font, drawn, glyphs

ONE = Pages(1, 1, 1)


def told(folder: Path, content: bytes, *, reads: bool = False) -> list[str]:
    source = folder / "0f3a"
    source.write_bytes(content)
    return [warning.code for warning in look_at_text(source, ONE, reads=reads)]


def garbled() -> bytes:
    extra = composite_font("x", 7)
    extra[0] = extra[0].replace(b"/ToUnicode 9 0 R", b"")
    lines = "".join(f"BT /F9 12 Tf 72 {600 - 20 * at} Td {glyphs(60, 500)} Tj ET\n" for at in range(10))
    return drawn(lines.encode(), fonts=b"/F9 7 0 R", extra=extra)


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (pdfs.born_digital(), []),
        (garbled(), ["GARBLED_TEXT"]),
        (scans.scanned(pdfs.born_digital()), ["NO_TEXT"]),
        (pdfs.with_figure(), []),
        (drawn(b""), []),
    ],
    ids=["text", "letters without a meaning", "a scan", "text and a picture", "empty"],
)
def test_pages_whose_text_cannot_be_used_are_told(tmp_path: Path, content: bytes, codes: list[str]) -> None:
    assert told(tmp_path, content) == codes


@pytest.mark.parametrize("error", [pdfium.PdfiumError("no text page"), ValueError("no such number")], ids=repr)
def test_a_page_whose_text_cannot_be_looked_at_ends_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    look = pdfium.PdfPage.get_textpage

    def failing(page: pdfium.PdfPage) -> pdfium.PdfTextPage:
        if not failed:
            failed.append(page)
            raise error
        return look(page)

    failed: list[pdfium.PdfPage] = []
    monkeypatch.setattr(pdfium.PdfPage, "get_textpage", failing)
    source = tmp_path / "0f3a"
    source.write_bytes(scans.scanned(pdfs.born_digital(2)))
    (warning,) = look_at_text(source, Pages(2, 1, 2), reads=False)
    assert warning.message.startswith("page 2 has no text")


def test_a_scan_that_was_read_needs_no_word(tmp_path: Path) -> None:
    assert told(tmp_path, scans.scanned(pdfs.born_digital()), reads=True) == []
