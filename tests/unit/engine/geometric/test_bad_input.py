"""Pages that nobody should have made: each comes out, and the rest of what is on it does too."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from docrefinery.engine.base import EngineOptions, EngineResult, Help
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.errors import JobError
from tests.support.drawn import LETTER, composite_font, drawn, glyphs, grid, shown
from tests.support.pages import all_words

pytestmark = pytest.mark.timeout(300)

_BEFORE, _AFTER = shown("What stands before it.", 72, 740), shown("What stands after it.", 72, 60)
_ROOT = Path(__file__).parents[4]
_RUN = "import sys; from tests.unit.engine.geometric import test_bad_input as t; t.convert_here(sys.argv[1])"


def convert(folder: Path, content: bytes) -> EngineResult:
    source = folder / "bad.pdf"
    source.write_bytes(content)
    return GeometricEngine().convert(
        source, "bad.pdf", EngineOptions(do_table_structure=True), lambda _done, _total: None, Help()
    )


def codes(result: EngineResult) -> list[str]:
    return [warning.code for warning in result.warnings]


def assert_rest_is_there(result: EngineResult) -> None:
    words = " ".join(all_words(result.document))
    assert "What stands before it." in words
    assert "What stands after it." in words
    assert result.failed_pages == ()


def around(content: bytes) -> bytes:
    """Put content between two lines of text, which it is not to cost."""
    return _BEFORE + b"q " + content + b" Q\n" + _AFTER


def test_a_path_of_very_many_segments(tmp_path: Path) -> None:
    steps = b"".join(b"%d %d l " % (100 + at % 400, 200 + at * 7 % 400) for at in range(200_000))
    result = convert(tmp_path, drawn(around(b"100 200 m " + steps + b"S")))
    assert_rest_is_there(result)
    assert codes(result) == []


def test_very_many_rectangles_come_out_as_plain_lines(tmp_path: Path) -> None:
    drawing = b"".join(b"%d %d 3.5 3.5 re f " % (at % 600, at // 600 * 2 + 80) for at in range(200_000))
    result = convert(tmp_path, drawn(around(drawing)))
    assert_rest_is_there(result)
    assert codes(result) == ["PAGE_TOO_COMPLEX"]
    assert "page 1" in result.warnings[0].message


def test_very_many_pieces_of_text(tmp_path: Path) -> None:
    pieces = b"".join(
        b"BT /F1 4 Tf %d %d Td (%c) Tj ET\n" % (20 + at % 140 * 4, 720 - at // 140 * 1.8, 97 + at % 26)
        for at in range(50_000)
    )
    result = convert(tmp_path, drawn(around(pieces)))
    assert_rest_is_there(result)
    assert sum(len(word) for word in all_words(result.document)) > 45_000


@pytest.mark.parametrize(
    "content",
    [
        shown("Nothing of this can be seen", 72, 400, size=0),
        shown("Nothing of this can be seen", 72, 400, turn="0 0 0 0"),
        shown("Nothing of this can be seen", 72, 400, turn="1 1 1 1"),
        shown("Nothing of this can be seen", 72, 400, turn="1e-9 0 0 1e-9"),
        shown("Far too large", 72, 400, size=1_000_000),
        shown("Far away", 90_000, -90_000),
        b"BT /F1 11 Tf NaN NaN Td (not a number) Tj ET\n",
        b"BT /F1 11 Tf 1 0 0 1 1e38 1e38 Tm (very far) Tj ET\n",
        b"BT /F1 99999999999999999999999999 Tf 72 400 Td (large) Tj ET\n",
        b"1e38 0 0 1e38 1e38 1e38 cm 0 0 m 1e38 1e38 l S 0 0 1e38 1e38 re f\n",
        b"inf -inf 99999999999999999999 1e400 re f nan nan m nan nan l S\n",
        b"0 0 0 0 0 0 cm 10 10 m 100 100 l S 10 10 50 50 re f\n",
        b"10 10 m 10 10 l S 10 10 0 0 re f 10 10 0 0 re S\n",
        b"BT /F1 11 Tf -500 Tz 72 400 Td (backwards) Tj ET\n",
        b"BT /F1 -11 Tf 72 400 Td (turned over) Tj ET\n",
        b"BT /F1 11 Tf 1e30 Tc 72 400 Td (wide apart) Tj ET\n",
        b"BT /F99 11 Tf 72 400 Td (a font that is not there) Tj ET\n",
        b"BT /F1 11 Tf 72 400 Td (\x00\x01\x02\x7f\xad\xff) Tj ET\n",
        b"/Nowhere Do q q q q Q BT BT ET ET (\n",
    ],
    ids=[
        "no size", "no matrix", "a flat matrix", "a tiny matrix", "a huge size", "far away", "NaN", "huge places",
        "a huge number", "a huge drawing", "numbers that are none", "a flat drawing", "points", "negative scale",
        "negative size", "wide spacing", "no such font", "control characters", "broken operators",
    ],
)  # fmt: skip
def test_what_has_no_place_costs_nothing_else(tmp_path: Path, content: bytes) -> None:
    result = convert(tmp_path, drawn(_BEFORE + _AFTER + b"q " + content + b" Q"))
    assert_rest_is_there(result)


@pytest.mark.parametrize(
    "box", [b"/MediaBox [0 0 14400 14400]", b"/MediaBox [0 0 14400 792]", b"/MediaBox [612 792 0 0]"],
    ids=["as large as may be", "very wide", "upside down"],
)  # fmt: skip
def test_odd_pages(tmp_path: Path, box: bytes) -> None:
    assert_rest_is_there(convert(tmp_path, drawn(_BEFORE + _AFTER, page=box)))


@pytest.mark.parametrize("box", [b"", b"/MediaBox [0 0 0 0]", b"/MediaBox [0 0 1e9 1e9]", b"/MediaBox [NaN 0 x 3]"])
def test_a_page_without_a_size_that_can_be_is_a_page(tmp_path: Path, box: bytes) -> None:
    result = convert(tmp_path, drawn(_BEFORE, page=box))
    assert list(result.document.pages) == [1]


def test_a_table_of_very_many_cells(tmp_path: Path) -> None:
    cells = [[f"{row}.{column}" for column in range(100)] for row in range(100)]
    content = shown("What stands before it.", 72, 1450) + _AFTER + grid(20, 1400, cells, width=24, height=13)
    result = convert(tmp_path, drawn(content, page=b"/MediaBox [0 0 2500 1500]"))
    assert_rest_is_there(result)
    assert {text for row in cells for text in row} <= set(all_words(result.document))


def test_a_font_that_does_not_say_what_its_letters_mean(tmp_path: Path) -> None:
    extra = composite_font("x", 7)
    extra[0] = extra[0].replace(b"/ToUnicode 9 0 R", b"")
    lines = "".join(f"BT /F9 12 Tf 72 {600 - 20 * at} Td {glyphs(60, 500)} Tj ET\n" for at in range(10))
    result = convert(tmp_path, drawn(around(lines.encode()), fonts=b"/F9 7 0 R", extra=extra))
    assert_rest_is_there(result)
    assert codes(result) == ["GARBLED_TEXT"]


_REPORT = drawn(
    _BEFORE
    + grid(72, 640, [["Year", "Boats"], ["1900", "31"], ["1901", "62"]])
    + shown("Turned", 300, 300, turn="0 1 -1 0"),
    _AFTER,
)
_CHANGES = st.tuples(
    st.integers(0, len(_REPORT) - 1),
    st.sampled_from([b"0", b"-1", b"1e9", b"99999999", b" Q ", b" BT ", b" Tm ", b" re f ", b"NaN", b"(", b"<<", b"%"])
    | st.binary(min_size=1, max_size=3),
)


@given(st.lists(_CHANGES, min_size=1, max_size=12))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_damaged_file_is_converted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]]
) -> None:
    damaged = bytearray(_REPORT)
    for at, written in changes:
        damaged[at : at + len(written)] = written
    try:
        result = convert(tmp_path_factory.getbasetemp(), bytes(damaged))
    except JobError:
        return
    reasons = [warning.message for warning in result.warnings if warning.code == "PAGES_FAILED"]
    # What pdfium cannot open has no more to say; an error of ours would stand behind a colon.
    assert all(reason.endswith("failed to parse.") for reason in reasons)


def nested(depth: int, *, recursive: bool = False) -> bytes:
    """Return a page with a form within a form, and so on; a recursive one ends where it began."""
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792]"
    extra = []
    for at in range(depth):
        inner = 7 if recursive and at == depth - 1 else 8 + at
        content = shown("Within a form", 72, 400) if at == depth - 1 else b""
        content += b"/X0 Do" if recursive or at < depth - 1 else b""
        resources = b"/Resources << /Font << /F1 3 0 R >> /XObject << /X0 %d 0 R >> >>" % min(inner, 6 + depth)
        extra.append(b"<< /Length %d %s %s >>\nstream\n%s\nendstream" % (len(content), entries, resources, content))
    return drawn(around(b"/X0 Do"), resources=b"/XObject << /X0 7 0 R >>", extra=extra)


def convert_here(folder: str) -> None:
    """Convert ``bad.pdf`` of a folder, and check that the rest of its page is there."""
    assert_rest_is_there(convert(Path(folder), (Path(folder) / "bad.pdf").read_bytes()))


@pytest.mark.parametrize(
    "content",
    [nested(7), nested(1000), nested(1, recursive=True), nested(3, recursive=True)],
    ids=["seven deep", "a thousand deep", "within itself", "in a circle"],
)
def test_forms_within_forms(tmp_path: Path, content: bytes) -> None:
    """In a process of its own, since pdfium calls itself for each, and may run out of stack."""
    (tmp_path / "bad.pdf").write_bytes(content)
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, str(tmp_path)], cwd=_ROOT, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr


def test_a_bad_page_leaves_the_others(tmp_path: Path) -> None:
    bad = b"".join(b"%d %d 3.5 3.5 re f " % (at % 600, at // 600 * 3 + 80) for at in range(120_000))
    result = convert(tmp_path, drawn(_BEFORE, around(bad), _AFTER, page=LETTER))
    assert codes(result) == ["PAGE_TOO_COMPLEX"]
    words = " ".join(all_words(result.document))
    assert words.count("What stands before it.") == 2
    assert words.count("What stands after it.") == 2
