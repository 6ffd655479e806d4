import dataclasses
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docling_core.types.doc import DoclingDocument

from docrefinery.model import Stage
from docrefinery.pipeline.converter import Converter, ConverterUnavailable
from docrefinery.pipeline.outcomes import Converted, Progress, Rejected, Task
from docrefinery.plugin import Clean, Infected, ScannerDown
from tests.integration.pipeline.conftest import assert_works, ignore
from tests.support import pdfs

Tasks = Callable[..., Task]

EVERYTHING = ("docling_json", "markdown", "text", "doctags", "chunks_json", "figures_zip")


async def test_every_artifact_is_written_measured_and_hashed(converter: Converter, task: Tasks) -> None:
    outcome = await converter.convert(task(pdfs.with_figure(text="Words."), *EVERYTHING), ignore)
    assert isinstance(outcome, Converted)
    assert [artifact.kind for artifact in outcome.artifacts] == list(EVERYTHING)
    for artifact in outcome.artifacts:
        content = artifact.path.read_bytes()
        assert artifact.size_bytes == len(content) > 0
        assert artifact.sha256 == hashlib.sha256(content).hexdigest()
    by_kind = {artifact.kind: artifact.path for artifact in outcome.artifacts}
    document = DoclingDocument.model_validate_json(by_kind["docling_json"].read_bytes())
    assert [item.text for item in document.texts] == ["Words."]
    with zipfile.ZipFile(by_kind["figures_zip"]) as archive:
        assert archive.namelist() == ["figure-0001.png"]


async def test_pages_are_drawn_where_that_is_asked_for(converter: Converter, task: Tasks) -> None:
    asked = task(pdfs.born_digital(3), "text", page_range=[2, 3])
    outcome = await converter.convert(dataclasses.replace(asked, draws_layout=True), ignore)
    assert isinstance(outcome, Converted)
    assert [drawing.page for drawing in outcome.drawings] == [2, 3]
    for drawing in outcome.drawings:
        assert drawing.path.read_bytes().startswith(b"\x89PNG")
    undrawn = await converter.convert(task(pdfs.born_digital(1), "text"), ignore)
    assert isinstance(undrawn, Converted)
    assert undrawn.drawings == ()


async def test_what_is_known_of_a_conversion(converter: Converter, task: Tasks) -> None:
    outcome = await converter.convert(
        task(pdfs.born_digital(3), "text", page_range=[2, 9], do_table_structure=True), ignore
    )
    assert isinstance(outcome, Converted)
    assert (outcome.page_count, outcome.pages_total) == (3, 2)
    assert (outcome.partial, outcome.failed_pages) == (False, ())
    assert outcome.warnings == ()
    assert outcome.engine["name"] == "geometric"
    assert outcome.convert_ms > 0
    assert outcome.chunk_ms is None


async def test_the_same_file_makes_the_same_bytes(converter: Converter, task: Tasks) -> None:
    first, second = [await converter.convert(task(pdfs.with_figure(), *EVERYTHING), ignore) for _ in range(2)]
    assert isinstance(first, Converted)
    assert isinstance(second, Converted)
    assert [item.sha256 for item in first.artifacts] == [item.sha256 for item in second.artifacts]


async def test_progress_names_stages_and_pages_in_order(converter: Converter, task: Tasks) -> None:
    seen: list[Progress] = []
    outcome = await converter.convert(task(pdfs.born_digital(3), "chunks_json", "text"), seen.append)
    assert isinstance(outcome, Converted)
    assert outcome.chunk_ms is not None
    stages = list(dict.fromkeys(progress.stage for progress in seen))
    assert stages == [Stage.CONVERTING, Stage.EXPORTING, Stage.CHUNKING]
    converting = [progress for progress in seen if progress.stage is Stage.CONVERTING]
    counts = [(progress.pages_done, progress.pages_total) for progress in converting]
    assert counts == [(0, 0), (0, 3), (1, 3), (2, 3), (3, 3)]
    assert converting[-1].pages_total == 3


async def test_options_that_no_engine_knows_do_no_harm(converter: Converter, task: Tasks) -> None:
    outcome = await converter.convert(task(None, "text", do_picture_description=False, exports=["text"]), ignore)
    assert isinstance(outcome, Converted)


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (pdfs.encrypted("secret"), {}, "ENCRYPTED_PDF"),
        (pdfs.no_pages(), {}, "INVALID_PDF"),
        (pdfs.truncated(), {}, "INVALID_PDF"),
        (pdfs.born_digital(3), {"max_num_pages": 2}, "PAGE_LIMIT_EXCEEDED"),
        (pdfs.born_digital(1), {"max_file_size": 10}, "FILE_TOO_LARGE"),
        (pdfs.broken_page(1), {}, "CONVERSION_FAILED"),
        (pdfs.born_digital(1), {"page_range": [7, 8]}, "CONVERSION_FAILED"),
    ],
)
async def test_a_document_is_rejected_with_a_code_and_the_child_lives_on(
    converter: Converter, task: Tasks, content: bytes, options: dict[str, object], code: str
) -> None:
    pid = converter.pid
    outcome = await converter.convert(task(content, "text", **options), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == code
    assert converter.pid == pid


async def test_a_failing_exporter_is_named_with_its_plugin(converter: Converter, task: Tasks) -> None:
    outcome = await converter.convert(task(None, "text", "failing"), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "EXPORT_FAILED"
    assert "'failing' of tricks 1.0 failed: LookupError: no such luck" in outcome.message
    await assert_works(converter, task)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("straying", "it may not write /"),
        ("littering", "it left left.tmp beside its artifact"),
        ("returning", "its write returned bytes"),
        ("exiting", "SystemExit: no more"),
    ],
)
async def test_an_exporter_that_breaks_a_rule_is_named_and_told(
    converter: Converter, task: Tasks, kind: str, words: str
) -> None:
    pid = converter.pid
    asked = task(None, "text", kind)
    outcome = await converter.convert(asked, ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "EXPORT_FAILED"
    assert f"'{kind}' of tricks 1.0 failed: {words}" in outcome.message
    assert outcome.details == {"kind": kind, "plugin": "tricks"}
    assert not asked.workdir.with_name("stray.txt").exists()
    assert converter.pid == pid
    await assert_works(converter, task)


@pytest.mark.parametrize("kind", ["closing", "tidy"])
async def test_a_closed_stream_and_temporary_files_are_no_mistakes(
    converter: Converter, task: Tasks, kind: str
) -> None:
    outcome = await converter.convert(task(None, kind), ignore)
    assert isinstance(outcome, Converted)
    assert outcome.artifacts[0].path.read_bytes() == b"words"


async def test_an_exception_of_a_megabyte_is_cut_to_what_can_be_stored(converter: Converter, task: Tasks) -> None:
    outcome = await converter.convert(task(None, "rambling"), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "EXPORT_FAILED"
    assert "'rambling' of tricks 1.0 failed: LookupError: no such luck" in outcome.message
    assert len(outcome.message) <= 2000
    assert outcome.message.endswith("…")
    assert "\0" not in outcome.message
    await assert_works(converter, task)


async def test_files_are_scanned_where_they_may_do_no_harm(converter: Converter, tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(pdfs.eicar_pdf())
    assert await converter.scan("basic", path) == Infected(signature="Eicar_Test_File")
    path.write_bytes(pdfs.born_digital())
    assert await converter.scan("basic", path) == Clean()


async def test_a_scanner_that_fails_is_down_not_content(converter: Converter, tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(pdfs.born_digital())
    for scanner in ("failing", "nobody"):
        with pytest.raises(ScannerDown, match=f"'{scanner}' failed"):
            await converter.scan(scanner, path)


async def test_a_file_that_cannot_be_read_is_put_off_not_judged(converter: Converter, tmp_path: Path) -> None:
    with pytest.raises(ConverterUnavailable, match="No such file"):
        await converter.scan("basic", tmp_path / "missing.pdf")


async def test_one_thing_at_a_time(converter: Converter, task: Tasks) -> None:
    def another(progress: Progress) -> None:
        with pytest.raises(RuntimeError, match="one thing at a time"):
            converter.convert(task(None, "text"), ignore).send(None)

    outcome = await converter.convert(task(None, "text"), another)
    assert isinstance(outcome, Converted)
