"""What a jail lets a converter see and reach on machines that are set up in their own way."""

import sys
from pathlib import Path

import pytest

from docrefinery.pipeline.jail import Cell, network_lacks

if sys.platform != "linux":
    pytest.skip("only Linux has it", allow_module_level=True)

from docrefinery.pipeline.jail import files


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Home of the user, with nothing in it."""
    home = tmp_path / "homes/somebody"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    return home


def install(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a Tesseract below a prefix and first in the path."""
    program = prefix / "bin/tesseract"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def seen(tmp_path: Path) -> set[Path]:
    """Return what below the test's folder a converter may read."""
    paths = map(Path, files._readable(Cell(folder="/nowhere", account=0)))
    return {path for path in paths if path.is_relative_to(tmp_path) or tmp_path.is_relative_to(path)}


def test_a_tesseract_of_its_own_opens_its_libraries_and_data_alone(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = install(home / ".local", monkeypatch)
    assert seen(tmp_path) == {program, home / ".local/lib", home / ".local/share/tessdata"}


@pytest.mark.parametrize("prefix", [".", ".."])
def test_a_tesseract_in_a_home_opens_no_home(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    program = install((home / prefix).resolve(), monkeypatch)
    assert seen(tmp_path) == {program}


def test_data_of_tesseract_are_seen_unless_they_are_a_home(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TESSDATA_PREFIX", str(home / "languages"))
    assert seen(tmp_path) == {home / "languages"}
    monkeypatch.setenv("TESSDATA_PREFIX", str(home.parent))
    assert seen(tmp_path) == set()


@pytest.mark.parametrize(
    ("accelerated", "offline", "calls_lack", "lacks"),
    [
        (False, True, "", ""),
        (False, False, "", ""),
        (False, True, "no filter", ""),
        (False, False, "no filter", "nobody may make a network namespace here, and no filter"),
        (True, False, "no filter", "nobody may make a network namespace here, and no filter"),
    ],
)
def test_network_is_held_by_a_namespace_or_a_filter(
    accelerated: bool, offline: bool, calls_lack: str, lacks: str
) -> None:
    cell = Cell(folder="/nowhere", account=0, accelerated=accelerated)
    assert network_lacks(cell, offline=offline, calls_lack=calls_lack) == lacks


@pytest.mark.parametrize("offline", [False, True])
def test_network_is_not_held_from_the_sockets_that_a_gpu_needs(offline: bool) -> None:
    cell = Cell(folder="/nowhere", account=0, accelerated=True)
    assert "Unix sockets" in network_lacks(cell, offline=offline, calls_lack="")
