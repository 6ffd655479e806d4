"""A document that is read in parts by real converters, and exporters that work side by side."""

import dataclasses
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.outcomes import Converted, Crashed, Long, Outcome, Rejected, Task
from docrefinery.pipeline.protocol import PAGES_FILE
from docrefinery.plugin import Clean
from tests.integration.pipeline.conftest import assert_works, ignore
from tests.support import pdfs
from tests.support.structured import Text, structured
from tests.support.waiting import until

Tasks = Callable[..., Task]
PAGES = 20
PARTS = [(1, 8), (9, 16), (17, 20)]
KINDS = ("text", "markdown", "doctags", "chunks_json", "docling_json")


def repeating() -> bytes:
    """Return pages with running heads, some that are copies of others, and a word that may lose its hyphen."""
    pages = []
    for number in range(1, PAGES + 1):
        what = "what is said on four pages" if 9 <= number <= 12 else f"what is said on page {number} alone"
        page = [Text("The annual report of the harbour", 30)]
        page += [Text(f"{what}, for the {times}. time of this", 100 + 14 * times) for times in range(1, 9)]
        page += [
            Text("It is told by whom you ask that it is a well-", 300),
            Text("known matter of taste and habit.", 314),
        ]
        pages.append(page)
    pages[2].append(Text("There is nothing well-known here.", 500))
    return structured(*pages, tagged=False)


async def together(converter: Converter, asked: Task, processes: int) -> Outcome:
    """Read a document in parts, and make it of them."""
    parts = {}
    for first, last in PARTS:
        folder = asked.workdir.with_name(f"{asked.workdir.name}-{first}")
        folder.mkdir()
        path = await converter.read(dataclasses.replace(asked, workdir=folder), first, last, ignore)
        assert not isinstance(path, Outcome)
        parts[first, last] = path
    return await converter.convert(dataclasses.replace(asked, parts=parts, processes=processes), ignore)


def words(outcome: Outcome) -> dict[str, bytes]:
    assert isinstance(outcome, Converted), outcome
    return {artifact.kind: artifact.path.read_bytes() for artifact in outcome.artifacts}


@pytest.mark.parametrize("processes", [1, 2, 9])
@pytest.mark.parametrize("content", [pdfs.born_digital(PAGES), repeating()], ids=["plain", "repeating"])
async def test_every_artifact_is_the_same_to_the_byte(
    converter: Converter, task: Tasks, content: bytes, processes: int
) -> None:
    whole = await converter.convert(task(content, *KINDS), ignore)
    parted = await together(converter, task(content, *KINDS), processes)
    assert words(whole) == words(parted)
    assert (b"well-known matter" in words(parted)["markdown"]) == (b"nothing well-known" in words(parted)["markdown"])
    assert isinstance(parted, Converted)
    assert isinstance(whole, Converted)
    assert (parted.pages_total, parted.engine, parted.warnings) == (PAGES, whole.engine, whole.warnings)


async def test_figures_leave_a_child_without_threads_which_would_keep_it_from_forks(
    converter: Converter, task: Tasks
) -> None:
    # Of 800 pixels: OpenCV, which writes the image, takes more threads for a large one.
    asked = task(pdfs.with_figure(), "figures_zip", images_scale=4)
    assert isinstance(await converter.convert(asked, ignore), Converted)
    assert len(os.listdir(f"/proc/{converter.pid}/task")) == 1  # noqa: PTH208


async def test_a_child_is_given_a_document_once_for_all_that_is_done_with_it(converter: Converter, task: Tasks) -> None:
    await converter.start()
    child = converter._keeper.child
    assert child is not None

    async def given(asked: Task, first: int, last: int) -> list[int]:
        folder = asked.workdir.with_name(f"{asked.workdir.name}-{first}")
        folder.mkdir()
        assert isinstance(await converter.read(dataclasses.replace(asked, workdir=folder), first, last, ignore), Path)
        return [path.stat().st_ino for path in child.folder.glob("job-*/source.pdf")]

    one, other = task(pdfs.born_digital(PAGES), "text"), task(pdfs.born_digital(PAGES + 1), "text")
    assert await converter.scan("basic", one.source) == Clean()
    assert await converter.convert_unless_long(one, ignore, 1) == Long(1, PAGES)
    first = await given(one, 1, PAGES)
    assert len(first) == 1
    parts = {(1, PAGES): one.workdir.with_name(f"{one.workdir.name}-1") / PAGES_FILE}
    for _ in range(2):
        workdir = one.workdir.with_name(f"{one.workdir.name}-whole")
        workdir.mkdir()
        whole = await converter.convert(dataclasses.replace(one, workdir=workdir, parts=parts, processes=2), ignore)
        assert isinstance(whole, Converted)
        shutil.rmtree(workdir)
    assert await given(one, 9, 16) == first
    assert len(await given(other, 1, 8)) == 1
    await converter.forget()
    assert not list(child.folder.glob("job-*"))
    await given(other, 9, 16)
    other.source.write_bytes(other.source.read_bytes() + b"\n")
    await converter.scan("basic", other.source)
    assert [path.read_bytes() for path in child.folder.glob("job-*/source.pdf")] == [other.source.read_bytes()]
    await assert_works(converter, task)
    assert len(list(child.folder.glob("job-*"))) == 1


async def test_a_child_that_takes_its_document_away_harms_nobody(converter: Converter, task: Tasks) -> None:
    await converter.start()
    child = converter._keeper.child
    assert child is not None
    asked = task(pdfs.born_digital(PAGES), "text")
    assert isinstance(await converter.read(asked, 1, 8, ignore), Path)
    (copy,) = child.folder.glob("job-*/source.pdf")
    copy.unlink()
    asked.workdir.joinpath(PAGES_FILE).unlink()
    # It has it open, and nobody else has anything to do with it.
    assert isinstance(await converter.read(asked, 9, 16, ignore), Path)
    await converter.forget()
    await assert_works(converter, task)


async def test_a_document_is_open_until_it_is_forgotten(converter: Converter, task: Tasks) -> None:
    asked = task(pdfs.born_digital(PAGES), "text")
    assert isinstance(await converter.read(asked, 1, 8, ignore), Path)

    def is_open() -> bool:
        return any("source.pdf" in str(link.resolve()) for link in Path(f"/proc/{converter.pid}/fd").iterdir())

    assert is_open()
    await converter.forget()
    await until(lambda: not is_open())


async def test_a_document_is_long_from_so_many_pages_on(converter: Converter, task: Tasks) -> None:
    asked = task(pdfs.born_digital(PAGES), "text", page_range=(3, 18))
    assert await converter.convert_unless_long(asked, ignore, 16) == Long(3, 18)
    assert isinstance(
        await converter.convert_unless_long(task(pdfs.born_digital(PAGES), "text"), ignore, 21), Converted
    )
    encrypted = await converter.convert_unless_long(task(pdfs.encrypted("secret"), "text"), ignore, 1)
    assert isinstance(encrypted, Rejected)
    assert encrypted.code == "ENCRYPTED_PDF"


async def test_exporters_have_processes_of_their_own_where_there_is_help(converter: Converter, task: Tasks) -> None:
    content = pdfs.born_digital(PAGES)
    for processes in (1, 2):
        outcome = await together(converter, task(content, "told_apart", "told_apart_too"), processes)
        at_work = {int(pid) for pid in words(outcome).values()}
        assert len(at_work) == processes
        assert converter.pid in at_work


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("failing", "'failing' of tricks 1.0 failed: LookupError: no such luck"),
        ("littering", "it left left.tmp beside its artifact"),
        ("exiting", "SystemExit: no more"),
        ("rambling", "LookupError: no such luck"),
    ],
)
async def test_an_exporter_that_fails_beside_others_is_named(
    converter: Converter, task: Tasks, kind: str, message: str
) -> None:
    outcome = await together(converter, task(pdfs.born_digital(PAGES), "text", kind, "markdown"), 2)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "EXPORT_FAILED"
    assert message in outcome.message
    await assert_works(converter, task)


async def test_an_exporter_that_dies_beside_others_takes_the_converter_along(converter: Converter, task: Tasks) -> None:
    outcome = await together(converter, task(pdfs.born_digital(PAGES), "text", "dying", "markdown"), 2)
    assert isinstance(outcome, Crashed)
    assert (outcome.signal, outcome.stderr) == (signal.SIGSEGV, "last words")
    outcome = await together(converter, task(pdfs.born_digital(PAGES), "text", "leaving"), 2)
    assert isinstance(outcome, Crashed)
    assert outcome.exit_code == 3
    await assert_works(converter, task)


async def test_parts_that_are_others_are_refused(converter: Converter, task: Tasks) -> None:
    asked = task(pdfs.born_digital(PAGES), "text")
    path = await converter.read(asked, 1, 8, ignore)
    assert not isinstance(path, Outcome)
    outcome = await converter.convert(dataclasses.replace(asked, parts={(9, 16): path}), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "CONVERSION_FAILED"
    assert "cannot be used" in outcome.message
