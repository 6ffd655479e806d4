"""A folder of results has those of the same bytes, in whatever order, and with whatever else, files come."""

import os
from pathlib import Path

import pytest

from docrefinery.cli.push.folders import Folders
from docrefinery.cli.push.inputs import Input
from docrefinery.cli.push.journal import NAME, Journal

FILES = 20_000


def of(path: str) -> Input:
    return Input(Path(path), Path(*Path(path).parts[1:]))


def chosen(out: Path, files: dict[str, str]) -> dict[str, str]:
    """Begin a run with files and their hashes; return the folder of each."""
    journal = Journal(out)
    inputs = {of(path): sha256 for path, sha256 in files.items()}
    folders = Folders(inputs, out, journal)
    now = {each: folders.now(each, sha256) for each, sha256 in inputs.items()}
    found = {each: place or folders.at_last(each, inputs[each]) for each, place in now.items()}
    for each, place in found.items():
        journal.begin(place, inputs[each])
        place.mkdir(parents=True, exist_ok=True)
    journal.close()
    return {str(each.path): str(place.relative_to(out)) for each, place in found.items()}


def test_a_folder_stays_when_files_are_added_and_when_arguments_come_in_another_order(tmp_path: Path) -> None:
    assert chosen(tmp_path, {"st/a/x.pdf": "1"}) == {"st/a/x.pdf": "x"}
    assert chosen(tmp_path, {"st/a/x.pdf": "1", "st/b/x.pdf": "2"}) == {"st/a/x.pdf": "x", "st/b/x.pdf": "b/x"}
    first = chosen(tmp_path, {"s1/y.pdf": "3", "s2/y.pdf": "4"})
    assert first == {"s1/y.pdf": "y", "s2/y.pdf": "y-2"}
    assert chosen(tmp_path, {"s2/y.pdf": "4", "s1/y.pdf": "3"}) == first


def test_other_bytes_get_no_folder_of_another_run_unless_it_was_removed(tmp_path: Path) -> None:
    assert chosen(tmp_path, {"s1/x.pdf": "1"}) == {"s1/x.pdf": "x"}
    assert chosen(tmp_path, {"s2/x.pdf": "2"}) == {"s2/x.pdf": "x-2"}
    assert chosen(tmp_path, {"s3/deep/x.pdf": "3"}) == {"s3/deep/x.pdf": "deep/x"}
    (tmp_path / "x").rmdir()
    assert chosen(tmp_path, {"s4/x.pdf": "4"}) == {"s4/x.pdf": "x"}


@pytest.mark.parametrize("names", [("old/x.pdf", "in/z.pdf"), ("in/z.pdf", "old/x.pdf")])
def test_a_renamed_file_keeps_its_folder_and_a_copy_takes_it_from_nobody(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    chosen(tmp_path, {"old/x.pdf": "1"})
    assert chosen(tmp_path, dict.fromkeys(names, "1")) == {"old/x.pdf": "x", "in/z.pdf": "z"}
    chosen(tmp_path, {"old/y.pdf": "2"})
    assert chosen(tmp_path, {"in/new.pdf": "2", "other/y.pdf": "3"}) == {"in/new.pdf": "y", "other/y.pdf": "y-2"}


def test_names_in_no_known_encoding_and_names_of_dots_have_folders_too(tmp_path: Path) -> None:
    odd = os.fsdecode(b"in/b\xff.pdf")
    for _ in range(2):
        assert chosen(tmp_path, {odd: "1", "in/...pdf": "2"}) == {odd: os.fsdecode(b"b\xff"), "in/...pdf": "...pdf"}


def test_a_journal_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"folder": "../x", "sha256": "1"}\n{"folder": "/x", "sha256": "1"}\n')
    assert chosen(tmp_path, {"in/x.pdf": "1"}) == {"in/x.pdf": "x"}


@pytest.mark.timeout(30)
def test_many_files_of_one_name_and_many_of_the_same_bytes_are_quick(tmp_path: Path) -> None:
    for same in (False, True):
        out = tmp_path / str(same)
        out.mkdir()
        inputs = [Input(Path(f"s{n}/x.pdf"), Path("x.pdf")) for n in range(FILES)]
        for _ in range(2):
            journal = Journal(out)
            folders = Folders(inputs, out, journal)
            for n, each in enumerate(inputs):
                sha256 = "same" if same else str(n)
                journal.begin(folders.now(each, sha256) or folders.at_last(each, sha256), sha256)
            journal.close()
        assert len((out / NAME).read_bytes().split()) == FILES * 4


def test_a_folder_that_cannot_be_looked_at_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> bool:
        raise PermissionError

    chosen(tmp_path, {"in/x.pdf": "1"})
    journal, each = Journal(tmp_path), of("in/x.pdf")
    monkeypatch.setattr(Path, "exists", refused)
    assert Folders([each], tmp_path, journal).now(each, "2") == tmp_path / "x-2"
    journal.close()


def test_what_this_run_has_begun_changes_no_folder_of_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first, copy, other = (of(path) for path in ("r0/a.pdf", "r1/b.pdf", "r2/b.pdf"))
    folders = Folders([first, copy, other], tmp_path, journal)
    place = folders.now(first, "1")
    assert place is not None
    journal.begin(place, "1")
    assert folders.now(copy, "1") == tmp_path / "b"
    assert folders.now(other, "2") == tmp_path / "b-2"
    journal.close()
