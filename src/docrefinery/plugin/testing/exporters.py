"""The contract of exporters."""

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from docling_core.types.doc import DoclingDocument

from docrefinery.plugin.descriptors import Exporter
from docrefinery.plugin.exporting import export, reason
from docrefinery.plugin.options import wrong_options
from docrefinery.plugin.testing import formats
from docrefinery.plugin.testing.documents import documents

LONGEST_SUMMARY = 200
# The times in a zip archive are even seconds; after a pause of more than two, no time of the first run comes again.
_PAUSE_SECONDS = 2.1


def check_exporter(exporter: Exporter, more: Mapping[str, DoclingDocument] | None = None) -> None:
    """Run an exporter over the made documents, twice, as the converter process does, and look at what it makes.

    :param more: documents of your own, by name, to run it over as well.
    :raises AssertionError: if it breaks a rule; the message names the exporter, the document and what to do.
    """
    what = f"exporter {exporter.kind!r}"
    check_summary(what, exporter.summary)
    if wrong := wrong_options(exporter.needs):
        raise AssertionError(f"{what}: in `needs`, {wrong[0]}")
    made = {**documents(), **(more or {})}
    first = {name: _first(what, exporter, name, document) for name, document in made.items()}
    _check_something(what, first)
    time.sleep(_PAUSE_SECONDS)
    for name, document in made.items():
        if exported(exporter, document) != first[name]:
            raise AssertionError(
                f"{what}: the document {name!r} made other bytes the second time: write no times (zip archives have "
                "some), no random names and no sets in their own order"
            )


def exported(exporter: Exporter, document: DoclingDocument) -> bytes:
    """Return the bytes of one export, made under the rules of the converter process.

    :raises Exception: whatever the exporter raises.
    """
    with tempfile.TemporaryDirectory(prefix="docrefinery-test-") as folder:
        task, temporary = Path(folder, "task"), Path(folder, "temporary")
        task.mkdir()
        temporary.mkdir()
        path = task / f"{exporter.kind}{exporter.suffix}"
        with _temporary_files_in(temporary):
            export(exporter, document, path)
        if left := sorted(entry.name for entry in temporary.iterdir()):
            raise AssertionError(
                f"exporter {exporter.kind!r}: it left the temporary files {', '.join(left)}: the converter process "
                "lives on for the next document; remove them (`with tempfile.TemporaryDirectory()`)"
            )
        return path.read_bytes()


def check_summary(what: str, summary: str) -> None:
    """Fail unless a summary is one sentence."""
    one_line = summary == " ".join(summary.split())
    if not (one_line and len(summary) <= LONGEST_SUMMARY and re.fullmatch(r"[^\W_a-z].*[.]", summary)):
        raise AssertionError(
            f"{what}: the summary {summary!r} is not one sentence: write one on one line, from a capital letter to a "
            f"full stop, of {LONGEST_SUMMARY} characters at most"
        )


def _first(what: str, exporter: Exporter, name: str, document: DoclingDocument) -> bytes:
    before = document.model_dump_json()
    where = f"{what}: with the document {name!r}"
    try:
        content = exported(exporter, document)
    except AssertionError:
        raise
    except (Exception, SystemExit) as error:
        raise AssertionError(f"{where}, {reason(error)}") from error
    if document.model_dump_json() != before:
        raise AssertionError(
            f"{where}, it changed the document, which the exporters after it get as well: work on a copy "
            "(`document.model_copy(deep=True)`)"
        )
    if problem := formats.problem(exporter, content):
        raise AssertionError(f"{where}, it made what {exporter.content_type} is not: {problem}")
    return content


def _check_something(what: str, contents: Mapping[str, bytes]) -> None:
    if not any(contents.values()):
        raise AssertionError(
            f"{what}: it wrote nothing for any document: write bytes with `stream.write(...)`, and flush what you wrap "
            "around the stream"
        )


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
