"""Starting, wearing out, dying and leaving nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from docrefinery.pipeline.converter import ChildLimits, Converter, ConverterUnavailable
from docrefinery.pipeline.outcomes import Canceled, Converted, Task
from tests.integration.pipeline.conftest import Make, assert_works, ignore, note_of
from tests.support import plugins
from tests.support.waiting import gone, until

Tasks = Callable[..., Task]


async def test_starting_twice_is_starting_once(converter: Converter) -> None:
    pid = converter.pid
    await asyncio.gather(converter.start(), converter.start())
    assert converter.pid == pid
    assert converter.rss_bytes > 10_000_000


async def test_a_child_is_replaced_after_its_number_of_jobs(make: Make, task: Tasks) -> None:
    converter = await make(ChildLimits(max_jobs=2))
    pids = []
    for _ in range(4):
        await converter.start()
        pids.append(converter.pid)
        await assert_works(converter, task)
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_a_child_that_has_grown_is_replaced_before_it_is_asked_again(make: Make, task: Tasks) -> None:
    converter = await make(ChildLimits(max_rss_bytes=1))
    pid = converter.pid
    await assert_works(converter, task)
    await until(lambda: converter.pid not in {None, pid})


async def test_a_child_that_dies_idle_is_replaced_unasked(make: Make, task: Tasks) -> None:
    converter = await make()
    pid = converter.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: converter.pid not in {None, pid})
    assert gone(pid)
    await assert_works(converter, task)


async def test_replacements_are_counted_by_their_reason(make: Make, task: Tasks) -> None:
    converter = await make(ChildLimits(max_jobs=2))
    assert converter.replaced == {}
    for export, seconds in (("text", 50), ("text", 50), ("dying", 50), ("sleeping", 0.2), ("linking", 50)):
        await converter.convert(task(None, export, seconds=seconds), ignore)
        await converter.start()
    stopped = task(None, "sleeping")
    running = asyncio.create_task(converter.convert(stopped, ignore))
    await until(lambda: note_of(converter, "sleeping"))
    converter.kill()
    await running
    await converter.start()
    assert converter.replaced == {"jobs": 1, "died": 1, "timeout": 1, "protocol": 1, "canceled": 1}


async def test_a_converter_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Tasks
) -> None:
    plugins.install(tmp_path, "faulty", "raise RuntimeError('not today')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    converter = Converter(ChildLimits(), None)
    try:
        with pytest.raises(ConverterUnavailable, match=r"'faulty' of faulty 1\.0 cannot be imported.*not today"):
            await converter.start()
        with pytest.raises(ConverterUnavailable):
            await converter.convert(task(None, "text"), ignore)
    finally:
        await converter.close()


async def test_a_child_without_the_memory_to_start_says_so(task: Tasks) -> None:
    converter = Converter(ChildLimits(memory_bytes=100 * 1024 * 1024), None)
    try:
        with pytest.raises(ConverterUnavailable, match="MiB"):
            await converter.start()
    finally:
        await converter.close()


async def test_closing_ends_what_is_running(make: Make, task: Tasks) -> None:
    converter = await make()
    slow = task(None, "sleeping")
    running = asyncio.create_task(converter.convert(slow, ignore))
    await until(lambda: note_of(converter, "sleeping"))
    await converter.close()
    assert await running == Canceled()
    assert converter.pid is None
    with pytest.raises(ConverterUnavailable, match="closed"):
        await converter.start()


async def test_nothing_is_left_behind(make: Make, task: Tasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor, zombie, task or scratch folder, whatever way the children end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    converter = await make(ChildLimits(max_jobs=1))
    await assert_works(converter, task)
    await converter.close()
    this, before = psutil.Process(), _held()
    converter = await make(ChildLimits(max_jobs=2))
    for export in ("dying", "leaving", "text", "linking", "text", "text"):
        await converter.convert(task(None, export), ignore)
    await converter.convert(task(None, "sleeping", seconds=0.2), ignore)
    await converter.close()
    assert not [child for child in this.children() if child.status() == psutil.STATUS_ZOMBIE]
    # A task that was canceled just before may have been counted then.
    assert all(now <= then for now, then in zip(_held(), before, strict=True))
    assert not [name for name in os.listdir(tmp_path) if name.startswith("docrefinery-child-")]  # noqa: PTH208


def _held() -> tuple[int, int, int]:
    this = psutil.Process()
    children = [child for child in this.children() if "docrefinery.pipeline." in " ".join(child.cmdline())]
    return this.num_fds(), len(asyncio.all_tasks()), len(children)


async def test_stderr_does_not_grow_from_job_to_job(converter: Converter, task: Tasks) -> None:
    for _ in range(3):
        assert isinstance(await converter.convert(task(None, "chatty"), ignore), Converted)
    child = converter._keeper.child
    assert child is not None
    assert os.fstat(child._stderr.fileno()).st_size == 0


async def test_a_child_and_its_zygote_die_with_their_parent(tmp_path: Path) -> None:
    code = """
import asyncio
from docrefinery.pipeline.converter import ChildLimits, Converter
async def main():
    converter = Converter(ChildLimits(), ())
    await converter.start()
    print(converter.pid, converter._keeper._nursery._zygote.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert parent.stdout is not None
    born = [int(pid) for pid in (await asyncio.to_thread(parent.stdout.readline)).split()]
    assert len(born) == 2
    parent.kill()
    parent.communicate()
    await until(lambda: all(_over(pid) for pid in born), seconds=5)


def _over(pid: int) -> bool:
    return gone(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_the_environment_has_no_secrets_and_the_home_is_scratch(
    make: Make, task: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@db/main")
    monkeypatch.setenv("DOCREFINERY_SECRET_KEYS", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    converter = await make()
    outcome = await converter.convert(task(None, "environment"), ignore)
    assert isinstance(outcome, Converted)
    environment = dict(line.split("=", 1) for line in outcome.artifacts[0].path.read_text().splitlines())
    assert "secret" not in str(environment)
    assert not [name for name in environment if name.startswith("DOCREFINERY_")]
    assert environment["HOME"] == environment["TMPDIR"] != os.environ.get("HOME")
    assert environment["OMP_NUM_THREADS"] == "1"


async def test_no_descriptor_of_the_parent_is_open_in_the_child(
    converter: Converter, task: Tasks, tmp_path: Path
) -> None:
    with (tmp_path / "private").open("w") as private:
        os.set_inheritable(private.fileno(), True)
        outcome = await converter.convert(task(None, "descriptors"), ignore)
    assert isinstance(outcome, Converted)
    opened = outcome.artifacts[0].path.read_text().splitlines()
    assert sum(name.startswith("socket:") for name in opened) == 1
    assert not [name for name in opened if name.endswith("private")]
