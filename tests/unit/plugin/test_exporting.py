"""What an exporter's author is told."""

import io
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from docling_core.types.doc import DoclingDocument

from docrefinery.plugin import Exporter
from docrefinery.plugin.confinement import WroteElsewhere
from docrefinery.plugin.exporting import BadExport, export, reason

Write = Callable[[DoclingDocument, BinaryIO], object]
DOCUMENT = DoclingDocument(name="made")


def run(write: Write, folder: Path) -> Path:
    exporter = Exporter(
        kind="made", summary="A test.", content_type="text/plain", suffix=".txt", write=write,  # type: ignore[arg-type]
    )  # fmt: skip
    path = folder / "made.txt"
    export(exporter, DOCUMENT, path)
    return path


def test_it_writes_to_the_file_that_it_is_given(tmp_path: Path) -> None:
    assert run(lambda _, stream: stream.write(b"words"), tmp_path).read_bytes() == b"words"


def closing(_: DoclingDocument, stream: BinaryIO) -> None:
    with io.TextIOWrapper(stream, "utf-8") as text:
        text.write("words")


def test_a_stream_that_is_closed_has_been_written(tmp_path: Path) -> None:
    assert run(closing, tmp_path).read_bytes() == b"words"


async def coroutine(document: DoclingDocument, stream: BinaryIO) -> None:
    stream.write(document.name.encode())


def generator(document: DoclingDocument, _: BinaryIO) -> Iterator[bytes]:
    yield document.name.encode()


async def asynchronous_generator(document: DoclingDocument, _: BinaryIO) -> AsyncIterator[bytes]:
    yield document.name.encode()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda document, _: document.name.encode(), r"returned bytes .* `stream\.write"),
        (lambda document, _: document.name, r"returned str .* `stream\.write"),
        (coroutine, "not `async def`"),
        (generator, "do not `yield`"),
        (asynchronous_generator, "returned async_generator"),
    ],
)
def test_what_is_returned_and_not_written_is_a_mistake(write: Write, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadExport, match=words):
        run(write, tmp_path)


def test_text_for_a_stream_of_bytes_is_a_mistake_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="bytes-like object is required, not 'str'") as caught:
        run(lambda _, stream: stream.write("words"), tmp_path)  # type: ignore[call-overload]
    assert reason(caught.value).startswith("TypeError: ")


def test_files_beside_the_artifact_are_named(tmp_path: Path) -> None:
    (tmp_path / "other.txt").touch()

    def write(_: DoclingDocument, stream: BinaryIO) -> None:
        for name in ("left.tmp", "another", "other.txt"):
            Path(stream.name).with_name(name).write_text("x")

    with pytest.raises(BadExport, match=r"left another, left\.tmp beside its artifact"):
        run(write, tmp_path)


def test_a_file_elsewhere_is_refused_and_named_as_the_author_wrote_it(tmp_path: Path) -> None:
    def write(_: DoclingDocument, stream: BinaryIO) -> None:
        Path("/etc/docrefinery-export.csv").write_bytes(b"x")

    with pytest.raises(WroteElsewhere) as caught:
        run(write, tmp_path)
    assert re.search(r"may not write /etc/docrefinery-export\.csv: .*tempfile", reason(caught.value))
