"""What a child says it wrote, and what is made of it."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from docrefinery.errors import ExportFailed
from docrefinery.pipeline.artifacts import accept, accept_drawings
from docrefinery.pipeline.protocol import Written
from docrefinery.pipeline.staging import Staged


@pytest.fixture
def results(tmp_path: Path) -> Iterator[int]:
    """Return the folder that a child writes to, as its parent holds it."""
    folder = tmp_path / "results"
    folder.mkdir()
    folder.joinpath("layout-0001.png").write_bytes(b"picture")
    folder.joinpath("layout-0002.png").symlink_to("/etc/passwd")
    folder.joinpath("text.txt").write_bytes(b"words")
    folder.joinpath("linked.txt").hardlink_to(folder / "text.txt")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_a_drawing_is_found_under_its_pages_name(results: int, workdir: Path) -> None:
    (drawing,) = accept_drawings(results, workdir, asked=True, drawn=[1])
    assert (drawing.page, drawing.path.parent, drawing.path.read_bytes()) == (1, workdir, b"picture")


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [(False, [1]), (True, [1, 1]), (True, [2]), (True, [3])],
    ids=["unasked", "twice", "a link", "missing"],
)
def test_what_is_not_a_drawing_is_refused(results: int, workdir: Path, asked: bool, drawn: Sequence[int]) -> None:
    with pytest.raises(ExportFailed, match="drawing"):
        accept_drawings(results, workdir, asked=asked, drawn=drawn)


def test_a_result_is_copied_out_of_the_childs_reach(results: int, workdir: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("results", "linked.txt").unlink()
    (artifact,) = accept(results, workdir, ["text"], {"text": "text/plain"}, [Written("text", "text.txt")])
    tmp_path.joinpath("results", "text.txt").write_bytes(b"other")
    assert (artifact.path.read_bytes(), artifact.size_bytes) == (b"words", 5)
    assert artifact.sha256 == hashlib.sha256(b"words").hexdigest()


@pytest.mark.parametrize(
    "written",
    [
        [],
        [Written("text", "text.txt"), Written("text", "text.txt")],
        [Written("other", "text.txt")],
        [Written("text", "../results/text.txt")],
        [Written("text", "/etc/passwd")],
        [Written("text", "..")],
        [Written("text", "layout-0002.png")],
        [Written("text", "linked.txt")],
        [Written("text", "text\0.txt")],
    ],
    ids=["missing", "twice", "unasked", "elsewhere", "absolute", "a folder", "a link", "two names", "NUL"],
)
def test_what_is_not_the_result_is_refused(results: int, workdir: Path, written: Sequence[Written]) -> None:
    with pytest.raises(ExportFailed):
        accept(results, workdir, ["text"], {}, written)
    assert not list(workdir.glob("passwd"))


def test_two_results_that_are_one_file_are_refused(results: int, workdir: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("results", "linked.txt").unlink()
    with pytest.raises(ExportFailed, match="same file"):
        accept(results, workdir, ["text", "other"], {}, [Written("text", "text.txt"), Written("other", "text.txt")])
    with pytest.raises(ExportFailed, match="same file"):
        accept_drawings(results, _with(workdir, "layout-0001.png"), asked=True, drawn=[1])


def _with(workdir: Path, name: str) -> Path:
    workdir.joinpath(name).touch()
    return workdir


def test_a_job_is_staged_where_its_child_alone_sees_it(tmp_path: Path) -> None:
    source = tmp_path / "document.pdf"
    source.write_bytes(b"%PDF-")
    staged = Staged(tmp_path, None, source)
    assert staged.source.read_bytes() == b"%PDF-"
    assert staged.source != source
    assert staged.source.stat().st_mode & 0o077 == staged.results.stat().st_mode & 0o077 == 0
    staged.close()
    assert not staged.source.parent.exists()
    assert source.exists()


def test_what_a_child_makes_of_its_copy_raises_no_bound(tmp_path: Path) -> None:
    source = tmp_path / "document.pdf"
    source.write_bytes(b"%PDF-")
    staged = Staged(tmp_path, None, source)
    staged.give({(1, 8): source})
    os.truncate(staged.source, 10**9)
    assert staged.given_bytes == 10
    staged.source.unlink()
    assert staged.given_bytes == 10
    staged.close()


def test_a_folder_that_is_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    source = tmp_path / "document.pdf"
    source.write_bytes(b"%PDF-")
    staged = Staged(tmp_path, None, source)
    secret = tmp_path / "secret"
    secret.mkdir()
    secret.joinpath("text.txt").write_text("secret")
    staged.results.rename(tmp_path / "moved")
    staged.results.symlink_to(secret)
    workdir = tmp_path / "work"
    workdir.mkdir()
    with pytest.raises(ExportFailed, match="cannot be opened"):
        accept(staged.results_descriptor, workdir, ["text"], {}, [Written("text", "text.txt")])
    staged.close()


def test_what_cannot_be_copied_leaves_nothing_behind(tmp_path: Path) -> None:
    held = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208
    folder = tmp_path / "no file"
    folder.mkdir()
    for source in (tmp_path / "missing.pdf", folder):
        with pytest.raises(OSError, match=r"No such file|Is a directory"):
            Staged(tmp_path, None, source)
    assert list(tmp_path.iterdir()) == [folder]
    if held:
        assert len(os.listdir("/proc/self/fd")) == held  # noqa: PTH208
