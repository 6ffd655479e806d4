"""Folders for files in hand."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from docrefinery.pipeline.scratch import scratch_folder, temporary_base

HOLD = """
import sys
from pathlib import Path
from docrefinery.pipeline.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_folder_goes_with_the_block(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "scratch") as folder:
        (folder / "file").write_text("x")
    assert list((tmp_path / "scratch").glob("worker-*")) == []


def test_folder_of_a_killed_process_is_removed_by_the_next_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        left = Path(holder.stdout.readline().strip())
        with scratch_folder(tmp_path):
            assert (left / "file").exists()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with scratch_folder(tmp_path) as folder:
            assert list(tmp_path.glob("worker-*")) == [folder]


def test_folder_of_a_process_killed_while_it_made_it_is_removed(tmp_path: Path) -> None:
    (tmp_path / "worker-unfinished").mkdir()
    with scratch_folder(tmp_path) as folder:
        assert list(tmp_path.glob("worker-*")) == [folder]


def test_processes_that_start_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    """Each thread opens files of its own, so to `flock` they are processes."""
    together = threading.Barrier(8)

    def start_and_stop() -> bool:
        kept = True
        for _ in range(40):
            together.wait(20)
            with scratch_folder(tmp_path) as folder:
                (folder / "file").write_text("x")
                together.wait(20)
                kept &= (folder / "file").exists()
        return kept

    with ThreadPoolExecutor(8) as pool:
        started = [pool.submit(start_and_stop) for _ in range(8)]
        assert all(each.result() for each in started)
    assert list(tmp_path.glob("worker-*")) == []


def test_commands_have_a_base_of_their_accounts_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    base = temporary_base()
    assert base == temporary_base() == tmp_path / f"docrefinery-{os.geteuid()}"
    assert base.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("put_there", ["link", "file", "open"])
def test_what_somebody_else_has_put_there_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_there: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    base = tmp_path / f"docrefinery-{os.geteuid()}"
    if put_there == "link":
        (tmp_path / "elsewhere").mkdir()
        base.symlink_to("elsewhere")
    elif put_there == "file":
        base.write_text("x")
    else:
        base.mkdir()
        base.chmod(0o777)
    with pytest.raises((PermissionError, FileExistsError), match=str(base)):
        temporary_base()
