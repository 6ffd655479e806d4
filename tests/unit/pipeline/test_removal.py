"""Folders that a child has filled."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from docrefinery.pipeline.removal import remove_tree
from docrefinery.pipeline.scratch import scratch_folder

DEEP = 5_000


def fill_deep(folder: Path) -> None:
    """Nest folders deeper than a path can name, with a file in each."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(DEEP):
        os.mkdir("d", dir_fd=here)
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_a_tree_deeper_than_any_path_is_removed_and_keeps_no_descriptor(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    fill_deep(tmp_path)
    remove_tree(tmp_path)
    assert not tmp_path.exists()
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


def test_a_worker_starts_and_ends_where_a_deep_tree_was_left(tmp_path: Path) -> None:
    tmp_path.joinpath("worker-killed").mkdir()
    fill_deep(tmp_path / "worker-killed")
    for _ in range(2):
        with scratch_folder(tmp_path) as folder:
            assert list(tmp_path.iterdir()) == [folder]
            fill_deep(folder)
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "folder"
    kept.mkdir()
    kept.joinpath("file").touch()
    folder.joinpath("in").mkdir(parents=True)
    folder.joinpath("in", "link").symlink_to(kept)
    folder.joinpath("link").symlink_to(kept)
    remove_tree(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert kept.joinpath("file").exists()


def test_what_is_no_folder_is_left_alone(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    tmp_path.joinpath("link").symlink_to(tmp_path)
    for name in ("file", "link", "missing"):
        remove_tree(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_folders_that_are_closed_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.joinpath("a", "b", "c").mkdir(parents=True)
    for path in (folder / "a" / "b", folder / "a", folder):
        path.chmod(0o500)
    remove_tree(folder)
    assert not folder.exists()


def test_the_time_for_it_is_bounded(tmp_path: Path) -> None:
    tmp_path.joinpath("a", "b").mkdir(parents=True)
    remove_tree(tmp_path, seconds=0)
    assert tmp_path.joinpath("a", "b").exists()


def test_two_may_remove_a_folder_and_what_is_in_it(tmp_path: Path) -> None:
    both = Barrier(2)

    def remove(folder: Path) -> None:
        both.wait()
        remove_tree(folder)

    with ThreadPoolExecutor(2) as threads:
        for number in range(400):
            outer = tmp_path / str(number)
            below = outer / "job" / "results"
            below.joinpath("folder").mkdir(parents=True)
            below.joinpath("file").touch()
            list(threads.map(remove, (outer, outer / "job")))
    assert list(tmp_path.iterdir()) == []
