import zlib
from pathlib import Path

import pytest

from docrefinery.plugin import Clean, Infected, ScanEngine, Unscannable
from docrefinery.scanners.basic import BASIC
from tests.support import pdfs

WINDOWS_PROGRAM = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(200)


@pytest.fixture(scope="module")
def basic() -> ScanEngine:
    return BASIC.create({})


def judge(basic: ScanEngine, tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    verdict = basic.scan(path)
    assert isinstance(verdict, (Clean, Infected))
    return verdict.signature if isinstance(verdict, Infected) else ""


LAUNCH = b"1 0 << /S /Launch /F (powershell.exe) >>"
MEBI = 1024 * 1024


def in_object_stream(objects: bytes, padding: bytes = b"") -> bytes:
    return in_streams(object_stream(zlib.compress(objects), padding))


def object_stream(packed: bytes, padding: bytes = b"") -> bytes:
    entries = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode %s /Length %d" % (padding, len(packed))
    return b"\n90 0 obj\n<< %s >>\nstream\n%s\nendstream\nendobj" % (entries, packed)


def in_streams(streams: bytes) -> bytes:
    return pdfs.born_digital().replace(b"endobj", b"endobj" + streams, 1)


@pytest.mark.parametrize(
    ("content", "signature"),
    [
        (pdfs.eicar_pdf(), "Eicar_Test_File"),
        (pdfs.eicar(), "Eicar_Test_File"),
        (pdfs.with_attachment(pdfs.eicar()), "Eicar_Test_File"),
        (pdfs.with_attachment(WINDOWS_PROGRAM, "invoice.pdf"), "Embedded_Windows_Program"),
        (pdfs.with_attachment(b"\x7fELF" + bytes(60)), "Embedded_Unix_Program"),
        (pdfs.with_open_action(b"/S /Launch /Win << /F (cmd.exe) /P (/c calc) >>"), "Pdf_Launch_Of_A_Program"),
        (pdfs.with_open_action(b"/F (C:\\\\evil.scr) /S /Launch"), "Pdf_Launch_Of_A_Program"),
        (pdfs.with_open_action(b"/S /L#61unch /F (/bin/sh)"), "Pdf_Launch_Of_A_Program"),
        (in_object_stream(LAUNCH), "Pdf_Launch_Of_A_Program"),
        (in_object_stream(b" " * 20 * MEBI + LAUNCH), "Pdf_Launch_Of_A_Program"),
        (in_object_stream(LAUNCH, padding=b"/Pad (%s)" % (b"x" * 5000)), "Pdf_Launch_Of_A_Program"),
        (in_streams(object_stream(b"") * 5000 + object_stream(zlib.compress(LAUNCH))), "Pdf_Launch_Of_A_Program"),
        (in_streams(object_stream(zlib.compress(LAUNCH)[:-4] + b"sum?")), "Pdf_Launch_Of_A_Program"),
    ],
)
def test_obvious_threats_are_recognised(basic: ScanEngine, tmp_path: Path, content: bytes, signature: str) -> None:
    assert judge(basic, tmp_path, content) == signature


@pytest.mark.parametrize(
    "content",
    [
        pdfs.born_digital(),
        pdfs.with_figure(),
        pdfs.encrypted("secret"),
        pdfs.with_open_action(b"/S /JavaScript /JS (app.alert\\('hello'\\))"),
        pdfs.with_open_action(b"/S /Launch /F (appendix.pdf)"),
        pdfs.with_open_action(b"/S /URI /URI (https://example.com/setup.exe)"),
        pdfs.with_attachment(b"MZ is how a letter may begin, too."),
        pdfs.with_attachment(b"#!/bin/sh\necho a script is no program\n"),
        pdfs.born_digital(text="We launch the program setup.exe with /Launch (of rockets)."),
        b"",
        b"no PDF at all",
    ],
)
def test_what_honest_files_have_is_clean(basic: ScanEngine, tmp_path: Path, content: bytes) -> None:
    assert judge(basic, tmp_path, content) == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (in_object_stream(b" " * 33 * MEBI + LAUNCH), "longer than 32 MiB"),
        (in_streams(object_stream(zlib.compress(bytes(31 * MEBI))) * 9), "more than 256 MiB"),
        (b"%PDF-1.7\n" + b"/ObjStm stream\n" * 100_001, "more than 100000 object streams"),
    ],
    ids=["long", "much", "many"],
)
def test_padding_does_not_make_a_file_clean(basic: ScanEngine, tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    verdict = basic.scan(path)
    assert isinstance(verdict, Unscannable)
    assert reason in verdict.reason


def test_it_says_that_it_is_basic_and_looks_at_files_in_the_child_only() -> None:
    assert BASIC.basic
    assert BASIC.runs_in == "child"
