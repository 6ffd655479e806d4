"""What a first look at a document tells before it is converted."""

import random
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from hypothesis import given, strategies as st

from docrefinery.engine.base import EngineOptions, EngineResult, Help
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.engine.preflight import Pages, preflight
from docrefinery.engine.rewriting import write_anew
from docrefinery.engine.sightings import Sightings
from docrefinery.engine.sizes import fitting_scale
from docrefinery.errors import InvalidPdf
from docrefinery.model import JobWarning
from tests.support import hostile, pdfs

JAVASCRIPT = b"/S /JavaScript /JS (app.alert\\('no'\\))"


def looked_at(folder: Path, content: bytes, options: EngineOptions | None = None) -> Pages:
    source = folder / "0f3a"
    source.write_bytes(content)
    return preflight(source, options or EngineOptions())


def converted(folder: Path, content: bytes, **options: object) -> EngineResult:
    source = folder / "0f3a"
    source.write_bytes(content)
    asked = EngineOptions(**options)  # type: ignore[arg-type] # checked by the struct's users
    return GeometricEngine().convert(source, "a.pdf", asked, lambda _done, _total: None, Help())


def told(pages: Pages) -> dict[str, str]:
    return {warning.code: warning.message for warning in pages.warnings}


def test_a_plain_document_needs_no_word(tmp_path: Path) -> None:
    assert looked_at(tmp_path, pdfs.born_digital(3)) == Pages(3, 1, 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pdfs.with_open_action(JAVASCRIPT), "JavaScript"),
        (pdfs.with_open_action(b"/Type/Action/S/Launch/F(calc.exe)"), "launches a program"),
        (pdfs.with_open_action(b"/S\n/SubmitForm /F (http://example.com)"), "sends a form"),
        (pdfs.with_script_by_name(compressed=False), "JavaScript"),
        (pdfs.with_script_by_name(compressed=True), "JavaScript"),
        (pdfs.with_launching_bookmark(compressed=True), "launches a program"),
        (pdfs.with_hidden_action(JAVASCRIPT), "JavaScript"),
        (pdfs.with_hidden_action(b"/S 91 0 R /JS (x)", b"/JavaScript"), "JavaScript"),
        (pdfs.with_open_action(b"/S /J#61vaScript /JS (x)"), "JavaScript"),
        (pdfs.with_on_page(b"/AA << /O << /S /J#61v#61Script /JS (x) >> >>"), "JavaScript"),
        (pdfs.with_hidden_action(b"/S /GoToR /F (\\\\\\\\example.com\\\\a.pdf)"), "another file"),
        (
            pdfs.with_on_page(b"/Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /GoToE /T <<>> >> >>]"),
            "another file",
        ),
        (pdfs.with_entry(b"/AcroForm << /Fields [] /XFA 4 0 R >>", pdfs.stream(b"<xdp/>")), "an XFA form"),
        (pdfs.with_on_page(b"/Annots [<< /Subtype /RichMedia /Rect [0 0 9 9] >>]"), "other media"),
        (pdfs.with_on_page(b"/Annots [4 0 R]", b"<< /Subtype /Scr#65en /Rect [0 0 9 9] >>"), "other media"),
        (pdfs.with_hidden_action(b"/S /Rendition /OP 0"), "other media"),
    ],
    ids=[
        "script",
        "launch",
        "form",
        "script by name",
        "script by name, packed",
        "bookmark, packed",
        "script, packed",
        "its type, packed",
        "script, escaped",
        "script when a page opens, escaped",
        "remote",
        "embedded",
        "xfa",
        "rich media",
        "screen, escaped",
        "rendition, packed",
    ],
)
def test_what_a_viewer_would_run_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    found = told(looked_at(tmp_path, content))
    assert list(found) == ["ACTIVE_CONTENT"]
    assert words in found["ACTIVE_CONTENT"]
    assert "(2)" not in found["ACTIVE_CONTENT"]


def test_words_that_only_look_like_an_action_are_words(tmp_path: Path) -> None:
    assert (
        looked_at(tmp_path, pdfs.born_digital(1, "Of /JavaScript and /Launch pads, /S /JavaScripting")).warnings == ()
    )


def test_attachments_are_told_by_name(tmp_path: Path) -> None:
    assert told(looked_at(tmp_path, pdfs.with_attachment(b"data", "notes\t of May.txt"))) == {
        "EMBEDDED_FILES": "files are attached to this document, and were not looked into: notes of May.txt"
    }


@pytest.mark.parametrize(
    "specification",
    [b"/Nothing", b"<< /Type /Filespec >>", b"<< /Type /Filespec /UF <FEFFD800> >>"],
    ids=["no dictionary", "no name", "half of a character"],
)
def test_an_attachment_that_cannot_be_read_is_told_without_its_name(tmp_path: Path, specification: bytes) -> None:
    found = told(looked_at(tmp_path, pdfs.with_attachments(specification, b"<< /Type /Filespec /F (a.txt) >>")))
    assert found["EMBEDDED_FILES"].endswith(": a file without a name, a.txt")


FILE = pdfs.stream(b"data", b"/Type /EmbeddedFile")


@pytest.mark.parametrize(
    ("content", "listed"),
    [
        (pdfs.with_on_page(b"/Annots [<< /Subtype /FileAttachment /FS << /EF << /F 4 0 R >> >> >>]", FILE), "1 on"),
        (pdfs.with_entry(b"/AF [<< /Type /Filespec /F (a.txt) /EF << /F 4 0 R /UF 4 0 R >> >>]", FILE), "1 on"),
        (pdfs.with_on_page(b"/AF [5 0 R]", FILE, b"<< /#45F << /UF 4 0 R >> >>"), "1 on"),
        (
            pdfs.with_entry(
                b"/AF [5 0 R 6 0 R] /Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >>", FILE,
                b"<< /Type /Filespec /F (a.txt) /EF << /F 4 0 R >> >>", b"<< /EF << /F 7 0 R >> >>", FILE,
            ),
            "a.txt and 1 more",
        ),
    ],
    ids=["annotation", "of the document", "of a page, escaped", "one of two by name"],
)  # fmt: skip
def test_files_that_hang_elsewhere_are_told_as_well(tmp_path: Path, content: bytes, listed: str) -> None:
    found = told(looked_at(tmp_path, content))
    assert list(found) == ["EMBEDDED_FILES"]
    assert f": {listed}" in found["EMBEDDED_FILES"]


def test_an_ordinary_link_is_no_active_content(tmp_path: Path) -> None:
    link = b"<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://example.com/) >> >>"
    goes = b"<< /Subtype /Link /Rect [0 0 9 9] /A << /S /GoTo /D [0 /Fit] >> >>"
    assert looked_at(tmp_path, pdfs.with_on_page(b"/Annots [%s %s]" % (link, goes))).warnings == ()


@given(
    st.lists(
        st.sampled_from([b"/S/JavaScript", b"/S /Launch ", b"/EF<</F 7 0 R>>", b" " * 90, b"/S/JavaScripts"]),
        max_size=6,
    )
)
def test_what_is_seen_does_not_depend_on_where_a_piece_ends(marks: list[bytes]) -> None:
    content = b"\n".join(marks) * 20
    whole, by_byte = Sightings(at_once=10**6), Sightings(at_once=300)
    whole.take(content)
    for byte in content:
        by_byte.take(bytes([byte]))
    whole.finish()
    by_byte.finish()
    assert (whole.active, whole.files) == (by_byte.active, by_byte.files)
    assert whole.active.total() == 20 * sum(mark in (b"/S/JavaScript", b"/S /Launch ") for mark in marks)


def test_a_document_that_takes_too_long_to_look_through_is_left(tmp_path: Path) -> None:
    source = tmp_path / "0f3a"
    source.write_bytes(pdfs.with_entry(b"/X 4 0 R", pdfs.stream(random.Random(1).randbytes(10**6), b"/Filter /X")))
    pieces: list[bytes] = []
    with pdfium.PdfDocument(source) as document:
        assert not write_anew(document, pieces.append, seconds=0)
        assert len(pieces) == 1
        assert write_anew(document, pieces.append, seconds=60)


def test_a_document_of_too_many_objects_is_told_to_be_looked_at_from_outside_alone(tmp_path: Path) -> None:
    content = pdfs.with_open_action(JAVASCRIPT).replace(b"/Size 6", b"/Size %d" % 10**6)
    assert list(told(looked_at(tmp_path, content))) == ["NOT_INSPECTED", "ACTIVE_CONTENT"]


def test_a_look_that_fails_ends_no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Iterator[JobWarning]:
        raise LookupError

    monkeypatch.setattr("docrefinery.engine.preflight.inspect", failing)
    assert looked_at(tmp_path, pdfs.born_digital(3)) == Pages(3, 1, 3)


def test_what_was_seen_is_told_in_the_result(tmp_path: Path) -> None:
    warnings = converted(tmp_path, pdfs.with_open_action(JAVASCRIPT)).warnings
    assert [warning.code for warning in warnings] == ["ACTIVE_CONTENT"]


def test_only_large_pages_keep_their_size(tmp_path: Path) -> None:
    assert looked_at(tmp_path, pdfs.giant_page()).large == {1: (14400.0, 14400.0)}


@pytest.mark.parametrize(
    ("width", "height"), [(14400, 14400), (14400, 1), (1, 1e9), (0, 0), (1e12, 1e12), (612, 792)], ids=str
)
def test_no_page_is_drawn_larger_than_it_may_be(width: float, height: float) -> None:
    scale = fitting_scale(4.0, width, height, 40_000_000)
    assert 0 < scale <= 4
    assert width * height * scale**2 <= 40_000_000 * 1.001
    assert max(width, height) * scale <= 32_001


def test_a_giant_page_that_is_read_is_drawn_smaller_and_that_is_told(tmp_path: Path) -> None:
    result = converted(tmp_path, pdfs.giant_page(), do_ocr=True, force_full_page_ocr=True)
    assert JobWarning(
        "PAGE_TOO_LARGE", "so large on paper that it was drawn with fewer pixels than usual: page 1"
    ) in list(result.warnings)


@pytest.mark.parametrize(("points", "more"), [(200_000, b""), (1_000_000, b"/UserUnit 100"), (2_000_000_000, b"")])
def test_a_page_on_which_nothing_can_be_recognised_is_told_however_large_it_is(
    tmp_path: Path, points: int, more: bytes
) -> None:
    result = converted(tmp_path, pdfs.giant_page(points, more), do_ocr=True)
    assert JobWarning(
        "PAGE_TOO_LARGE", "so large on paper that no ordinary print on it can be recognised: page 1"
    ) in list(result.warnings)


def test_a_giant_page_that_is_not_drawn_needs_no_word(tmp_path: Path) -> None:
    assert converted(tmp_path, pdfs.giant_page()).warnings == ()


@pytest.mark.parametrize(("claimed", "there"), [(1_000_000, 5_000), (102, 1)])
def test_a_document_that_claims_pages_which_are_not_there_is_no_pdf(tmp_path: Path, claimed: int, there: int) -> None:
    content = hostile.many_pages(claimed, there)
    with pytest.raises(InvalidPdf, match=f"says that it has {claimed} pages, and lacks more than 100"):
        looked_at(tmp_path, content)


def test_a_document_that_lacks_a_few_pages_has_the_others(tmp_path: Path) -> None:
    assert looked_at(tmp_path, hostile.many_pages(103, 3)).total == 103
    assert looked_at(tmp_path, hostile.many_pages(10**6, 3), EngineOptions(page_range=(1, 3))).total == 3


def test_many_pages_that_are_there_are_no_reason_to_refuse(tmp_path: Path) -> None:
    assert looked_at(tmp_path, hostile.wide_tree(5_000)).total == 5_000
