"""Files that an exporter may touch, and those that it is told to leave alone."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from docrefinery.plugin.confinement import WroteElsewhere, confined_to

Action = Callable[[Path], object]


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder that may be written to, with a file and a folder in it."""
    folder = tmp_path / "inside"
    (folder / "folder").mkdir(parents=True)
    (folder / "file").write_text("x")
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """One that may not."""
    folder = tmp_path / "outside"
    (folder / "folder").mkdir(parents=True)
    (folder / "file").write_text("x")
    return folder


ACTIONS: dict[str, Action] = {
    "write": lambda folder: (folder / "new").write_text("x"),
    "append": lambda folder: (folder / "file").open("a").close(),
    "update": lambda folder: (folder / "file").open("r+").close(),
    "create": lambda folder: os.close(os.open(folder / "new", os.O_CREAT | os.O_RDONLY)),
    "remove": lambda folder: (folder / "file").unlink(),
    "rename": lambda folder: (folder / "file").rename(folder / "new"),
    "replace": lambda folder: (folder / "file").replace(folder / "new"),
    "make a folder": lambda folder: (folder / "new").mkdir(),
    "remove a folder": lambda folder: (folder / "folder").rmdir(),
    "remove a tree": shutil.rmtree,
    "link": lambda folder: os.link(folder / "file", folder / "new"),
    "symbolic link": lambda folder: (folder / "new").symlink_to("file"),
    "truncate": lambda folder: os.truncate(folder / "file", 0),
    "bytes for a name": lambda folder: os.unlink(os.fsencode(folder / "file")),  # noqa: PTH108
}


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_changed_elsewhere_is_refused_and_named(action: str, inside: Path, outside: Path) -> None:
    before = sorted(outside.rglob("*"))
    with confined_to(inside), pytest.raises(WroteElsewhere, match=r"may not write .*outside"):
        ACTIONS[action](outside)
    assert sorted(outside.rglob("*")) == before
    assert (outside / "file").read_text() == "x"


@pytest.mark.parametrize("action", ACTIONS)
def test_inside_everything_goes(action: str, inside: Path) -> None:
    with confined_to(inside):
        ACTIONS[action](inside)


@pytest.mark.parametrize("action", ACTIONS)
def test_afterwards_everything_goes_again(action: str, inside: Path, outside: Path) -> None:
    with confined_to(inside):
        pass
    ACTIONS[action](outside)


def test_moving_a_file_in_takes_it_from_elsewhere(inside: Path, outside: Path) -> None:
    with confined_to(inside), pytest.raises(WroteElsewhere):
        (outside / "file").rename(inside / "new")


def test_links_and_dots_do_not_lead_out(inside: Path, outside: Path) -> None:
    (inside / "link").symlink_to(outside)
    (inside / "to-file").symlink_to(outside / "file")
    with confined_to(inside):
        for path in (inside / "link" / "new", inside / ".." / "outside" / "new", inside / "to-file"):
            with pytest.raises(WroteElsewhere):
                path.write_text("y")
        (inside / "to-file").unlink()
    assert (outside / "file").read_text() == "x"


def test_a_folder_whose_name_begins_alike_is_another_one(inside: Path) -> None:
    other = inside.with_name("inside-out")
    other.mkdir()
    with confined_to(inside), pytest.raises(WroteElsewhere):
        (other / "new").touch()


def test_reading_is_free(inside: Path, outside: Path) -> None:
    with confined_to(inside):
        assert (outside / "file").read_text() == "x"
        assert list(outside.iterdir())


def test_temporary_files_processes_and_imports_work(
    inside: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(outside)
    (outside / "imported_while_confined.py").write_text("x = 1")
    with confined_to(inside):
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
            Path(folder, "file").touch()
            file.write(b"x")
        subprocess.run([sys.executable, "-c", ""], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        import imported_while_confined  # type: ignore[import-not-found]  # noqa: PLC0415
    assert imported_while_confined.x == 1
    assert list((outside / "__pycache__").iterdir())


def test_threads_of_the_exporter_are_held_as_well(inside: Path, outside: Path) -> None:
    caught: list[BaseException] = []

    def write() -> None:
        try:
            (outside / "new").touch()
        except WroteElsewhere as error:
            caught.append(error)

    with confined_to(inside):
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(caught) == 1
