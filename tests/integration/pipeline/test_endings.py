"""Every way a conversion can end early; afterwards the next document converts."""

import asyncio
import errno
import os
import signal
from collections.abc import Callable

import pytest

from docrefinery.model import Stage
from docrefinery.pipeline.converter import ChildLimits, Converter, ConverterUnavailable
from docrefinery.pipeline.outcomes import Canceled, Crashed, Progress, Rejected, Task, TimedOut
from docrefinery.pipeline.staging import Staged
from tests.integration.pipeline.conftest import Make, assert_works, ignore, note_of
from tests.support import pdfs
from tests.support.waiting import gone, until

Tasks = Callable[..., Task]
MEBIBYTE = 1024 * 1024


async def pid_of(converter: Converter) -> int:
    await converter.start()
    assert converter.pid is not None
    return converter.pid


async def test_cancel_kills_the_process_within_two_seconds(converter: Converter, task: Tasks) -> None:
    pid, started = await pid_of(converter), asyncio.Event()

    def on_progress(progress: Progress) -> None:
        if progress.pages_done >= 2:
            started.set()

    running = asyncio.create_task(converter.convert(task(pdfs.slow(), "text"), on_progress))
    await started.wait()
    converter.cancel()
    assert await until(lambda: gone(pid), seconds=2) < 2
    assert await running == Canceled()
    await assert_works(converter, task)


async def test_cancel_while_it_warms_up(make: Make, task: Tasks) -> None:
    converter = await make(warm=False)
    running = asyncio.create_task(converter.convert(task(None, "text"), ignore))
    await until(lambda: converter.pid)
    converter.kill()
    assert await running == Canceled()
    await assert_works(converter, task)


async def test_an_idle_converter_may_be_killed_too(converter: Converter, task: Tasks) -> None:
    pid = await pid_of(converter)
    converter.kill()
    await until(lambda: gone(pid))
    await assert_works(converter, task)


async def test_a_cancel_that_comes_when_all_is_done_costs_no_child(converter: Converter, task: Tasks) -> None:
    pid = await pid_of(converter)
    await assert_works(converter, task)
    converter.cancel()
    await assert_works(converter, task)
    assert converter.pid == pid


async def test_cancelling_the_caller_kills_the_process(converter: Converter, task: Tasks) -> None:
    pid = await pid_of(converter)
    slow = task(None, "sleeping")
    running = asyncio.create_task(converter.convert(slow, ignore))
    await until(lambda: note_of(converter, "sleeping"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: gone(pid), seconds=2)
    await assert_works(converter, task)


@pytest.mark.parametrize("export", ["grandchild", "leaving_its_session"])
async def test_what_the_child_started_dies_with_it(converter: Converter, task: Tasks, export: str) -> None:
    slow = task(None, export)
    running = asyncio.create_task(converter.convert(slow, ignore))

    def written() -> str:
        note = note_of(converter, "pid")
        return note.read_text() if note is not None else ""

    await until(written)
    grandchild = int(written())
    converter.kill()
    assert await running == Canceled()
    # It is an orphan now, and whoever adopts orphans here may take its time to bury it.
    await until(lambda: gone(grandchild) or b"\0" not in _command_line(grandchild))
    await assert_works(converter, task)


def _command_line(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""


async def test_a_conversion_that_takes_too_long_is_stopped(converter: Converter, task: Tasks) -> None:
    pid = await pid_of(converter)
    assert await converter.convert(task(None, "sleeping", seconds=0.5), ignore) == TimedOut(0.5)
    await until(lambda: gone(pid), seconds=2)
    await assert_works(converter, task)


async def test_a_child_that_is_killed_from_outside_crashed(converter: Converter, task: Tasks) -> None:
    def kill(progress: Progress) -> None:
        if progress.stage is Stage.CONVERTING and progress.pages_done == 1:
            assert converter.pid is not None
            os.kill(converter.pid, signal.SIGKILL)

    outcome = await converter.convert(task(pdfs.slow(), "text"), kill)
    assert isinstance(outcome, Crashed)
    assert outcome.signal == signal.SIGKILL
    await assert_works(converter, task)


async def test_a_crash_brings_the_last_words(converter: Converter, task: Tasks) -> None:
    outcome = await converter.convert(task(None, "dying"), ignore)
    assert isinstance(outcome, Crashed)
    assert outcome.signal == signal.SIGSEGV
    assert "SIGSEGV" in outcome.reason
    assert outcome.stderr == "last words"
    outcome = await converter.convert(task(None, "leaving"), ignore)
    assert isinstance(outcome, Crashed)
    assert (outcome.exit_code, outcome.stderr) == (3, "")


async def test_a_child_that_tells_lies_is_not_believed(converter: Converter, task: Tasks) -> None:
    pid = await pid_of(converter)
    outcome = await converter.convert(task(None, "babbling"), ignore)
    assert isinstance(outcome, Crashed)
    assert "was killed" in outcome.reason
    await until(lambda: gone(pid), seconds=2)
    await assert_works(converter, task)


async def test_a_kill_while_the_file_is_copied_is_a_cancel(
    converter: Converter, task: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = await pid_of(converter)

    def too_late(*_: object) -> Staged:
        converter.kill()
        raise FileNotFoundError(errno.ENOENT, "the folder went with the child")

    with monkeypatch.context() as patch:
        patch.setattr("docrefinery.pipeline.staging.Staged", too_late)
        assert await converter.convert(task(None, "text"), ignore) == Canceled()
    await until(lambda: gone(pid))
    await assert_works(converter, task)


async def test_a_file_that_cannot_be_copied_says_nothing_of_the_document(converter: Converter, task: Tasks) -> None:
    missing = task(None, "text")
    missing.source.unlink()
    with pytest.raises(ConverterUnavailable, match="cannot be given the file"):
        await converter.convert(missing, ignore)
    await assert_works(converter, task)


@pytest.mark.parametrize(
    ("error", "raised"), [(OSError(errno.ENOSPC, "full"), ConverterUnavailable), (LookupError(), LookupError)], ids=repr
)
async def test_a_child_whose_work_went_wrong_here_does_no_other(
    converter: Converter, task: Tasks, monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    def failing(*_: object) -> None:
        raise error

    pid = await pid_of(converter)
    with monkeypatch.context() as patch:
        patch.setattr("docrefinery.pipeline.messages.accept", failing)
        with pytest.raises(raised):
            await converter.convert(task(None, "text"), ignore)
    await until(lambda: gone(pid))
    await assert_works(converter, task)


async def test_bombs_are_out_of_memory_and_the_next_file_converts(make: Make, task: Tasks) -> None:
    converter = await make(ChildLimits(memory_bytes=768 * MEBIBYTE))
    for hungry in (task(pdfs.memory_bomb(), "text"), task(None, "hungry")):
        outcome = await converter.convert(hungry, ignore)
        assert isinstance(outcome, Rejected), outcome
        assert outcome.code == "OUT_OF_MEMORY"
        assert "768 MiB" in outcome.message
        await assert_works(converter, task)


async def test_resident_memory_is_watched_as_well(make: Make, task: Tasks) -> None:
    """The bound below is under what a warm child holds, so only the parent's look can see it exceeded."""
    converter = await make()
    converter._limits = ChildLimits(memory_bytes=20 * MEBIBYTE)
    outcome = await converter.convert(task(None, "sleeping"), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "OUT_OF_MEMORY"
