"""What the kit finds in exporters that break a rule, and that it finds nothing in those that do not."""

import io
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from docling_core.types.doc import DocItemLabel, DoclingDocument

from docrefinery.plugin import Profile
from docrefinery.plugin.registry import load
from docrefinery.plugin.testing import check_exporter, check_profile
from tests.support.exporters import exporter, fine

BUILT_IN = load(())


@pytest.mark.parametrize("kind", sorted(BUILT_IN.exporters))
def test_built_in_exporters_keep_the_contract(kind: str) -> None:
    check_exporter(BUILT_IN.exporters[kind])


def raising(document: DoclingDocument, stream: BinaryIO) -> None:
    stream.write(document.texts[0].text.encode())


def straying(document: DoclingDocument, _: BinaryIO) -> None:
    Path("/tmp/stray.txt").write_text(document.name)


def littering(_: DoclingDocument, stream: BinaryIO) -> None:
    Path(stream.name).with_name("left.tmp").write_text("x")


def keeping(document: DoclingDocument, stream: BinaryIO) -> None:
    with tempfile.NamedTemporaryFile(delete=False, prefix="kept-") as file:
        file.write(document.name.encode())
    fine(document, stream)


def changing(document: DoclingDocument, stream: BinaryIO) -> None:
    document.add_text(DocItemLabel.TEXT, "more")
    fine(document, stream)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (raising, "with the document 'empty', IndexError: list index out of range"),
        (straying, r"with the document 'empty', it may not write /tmp/stray\.txt"),
        (littering, r"with the document 'empty', it left left\.tmp beside its artifact"),
        (keeping, "left the temporary files kept-.* remove them"),
        (changing, "with the document 'empty', it changed the document"),
        (lambda document, _: document.name.encode(), "with the document 'empty', its write returned bytes"),
        (lambda _document, _stream: sys.exit(1), "with the document 'empty', SystemExit: 1"),
        (lambda _document, _stream: None, "wrote nothing for any document"),
    ],
)
def test_an_exporter_that_breaks_a_rule(write: Callable[[DoclingDocument, BinaryIO], Any], words: str) -> None:
    with pytest.raises(AssertionError, match=f"exporter 'made': .*{words}|exporter 'made': it {words}"):
        check_exporter(exporter(write))


def of_the_time(_: DoclingDocument, stream: BinaryIO) -> None:
    stream.write(time.strftime("%H:%M:%S").encode())


def zipped_now(document: DoclingDocument, stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("name", document.name)


@pytest.mark.parametrize(
    ("write", "content_type"), [(of_the_time, "text/plain; charset=utf-8"), (zipped_now, "application/zip")]
)
def test_an_exporter_that_tells_the_time(write: Callable[[DoclingDocument, BinaryIO], None], content_type: str) -> None:
    with pytest.raises(AssertionError, match="'empty' made other bytes the second time: write no times"):
        check_exporter(exporter(write, content_type=content_type))


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name in names:
            made.writestr(zipfile.ZipInfo(name), "x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content_type", "content", "words"),
    [
        ("text/plain; charset=utf-8", b"\xff", "encode text as UTF-8"),
        ("text/csv", b"\xff", "encode text as UTF-8"),
        ("application/xml; charset=utf-8", b"\xff", "encode text as UTF-8"),
        ("application/json", b"", "write one JSON value, for an empty document too"),
        ("application/json", b'{"a": NaN}', "NaN is not JSON"),
        ("application/ld+json", b"{", "write one JSON value"),
        ("application/x-ndjson", b"{}\n\n", "line 2: .*write one JSON value"),
        ("application/x-ndjson", b"{}", "does not end with a line feed"),
        ("application/zip", b"", "write an archive without entries"),
        ("application/epub+zip", b"PK", "write an archive without entries"),
        ("application/zip", archive("/etc/passwd"), "'/etc/passwd' would be unpacked outside"),
        ("application/zip", archive("a/../../b"), "would be unpacked outside"),
    ],
)
def test_an_artifact_that_is_not_what_its_content_type_says(content_type: str, content: bytes, words: str) -> None:
    with pytest.raises(AssertionError, match=f"it made what {content_type.replace('+', '.')} is not: .*{words}"):
        check_exporter(exporter(lambda _, stream: stream.write(content), content_type=content_type))


def test_an_archive_with_two_entries_of_one_name() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive("a", "a")
    with pytest.raises(AssertionError, match="two entries have one name"):
        check_exporter(exporter(lambda _, stream: stream.write(content), content_type="application/zip"))


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/plain; charset=iso-8859-1", b"\xff"),
        ("application/octet-stream", b"\xff"),
        ("application/x-ndjson", b"1\n"),
    ],
)
def test_an_artifact_that_is_what_its_content_type_says(content_type: str, content: bytes) -> None:
    check_exporter(exporter(lambda _, stream: stream.write(content), content_type=content_type))


@pytest.mark.parametrize("summary", ["no capital.", "No full stop", "Two\nlines.", f"{'Long ' * 50}."])
def test_a_summary_that_is_not_one_sentence(summary: str) -> None:
    with pytest.raises(AssertionError, match="is not one sentence"):
        check_exporter(exporter(fine, summary=summary))
    with pytest.raises(AssertionError, match="is not one sentence"):
        check_profile(Profile(name="made", summary=summary, exports=()))
