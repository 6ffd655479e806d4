"""What a parent ends by watching: a child that fills the disk, hides what it takes, or computes unasked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docrefinery.pipeline import filling, watching
from docrefinery.pipeline.converter import ChildLimits
from docrefinery.pipeline.filling import written_bytes
from docrefinery.pipeline.outcomes import Converted, Rejected, Task, TimedOut
from docrefinery.pipeline.session import Session
from tests.integration.pipeline.conftest import Make, assert_works, ignore
from tests.support import pdfs
from tests.support.waiting import gone, until

Tasks = Callable[..., Task]
MEBI = 1024 * 1024


@pytest.mark.parametrize("trick", ["filling", "filling_unseen", "crowding"])
async def test_a_child_that_fills_its_folder_is_ended_and_the_next_file_is_converted(
    make: Make, task: Tasks, trick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "_MOST_ENTRIES", 900)
    converter = await make(ChildLimits(scratch_bytes=10 * MEBI))
    outcome = await converter.convert(task(None, trick), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "CONVERSION_FAILED", outcome
    assert "more than the 10 MiB that a converter may write" in outcome.message
    await assert_works(converter, task)
    assert converter.replaced == {"disk": 1}


async def test_the_file_that_a_child_is_given_does_not_count(make: Make, task: Tasks) -> None:
    converter = await make(ChildLimits(scratch_bytes=MEBI))
    slow = task(pdfs.born_digital().ljust(5 * MEBI, b"\n"), "sleeping", seconds=2.5)
    assert await converter.convert(slow, ignore) == TimedOut(2.5)


async def test_memory_of_a_process_that_was_given_away_counts(make: Make, task: Tasks) -> None:
    converter = await make(ChildLimits(memory_bytes=700 * MEBI))
    outcome = await converter.convert(task(None, "hungry_orphan"), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "OUT_OF_MEMORY"
    await assert_works(converter, task)


async def test_a_child_that_goes_on_computing_after_its_job_is_ended(
    make: Make, task: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(watching, "IDLE_CPU_SECONDS", 0.1)
    converter = await make()
    pid = converter.pid
    assert pid is not None
    assert isinstance(await converter.convert(task(None, "burning"), ignore), Converted)
    await until(lambda: converter.pid not in {None, pid} and gone(pid))
    assert converter.replaced == {"busy": 1}


async def test_a_child_that_waits_is_left_alone(make: Make, task: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def look(_: int) -> Session:
        nonlocal looks
        looks += 1
        return Session(cpu_seconds=7.0)

    monkeypatch.setattr(watching, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(Session, "of", look)
    converter = await make()
    await assert_works(converter, task)
    pid = converter.pid
    await until(lambda: looks > 5)
    assert converter.pid == pid


def test_what_cannot_be_counted_is_beyond_every_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_bytes(bytes(100_000))
    (tmp_path / "link").symlink_to("/usr")
    assert 100_000 <= written_bytes(tmp_path, 10**9) < 200_000
    assert written_bytes(tmp_path / "nowhere", 10) == 0
    monkeypatch.setattr(filling, "_MOST_ENTRIES", 2)
    assert written_bytes(tmp_path, 10**9) > 10**12
