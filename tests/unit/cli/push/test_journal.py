"""The journal of a folder of results."""

from pathlib import Path

import msgspec
import pytest

from docrefinery.cli.push.journal import NAME, Entry, InUse, Journal, asked_of

ENTRY = Entry(folder="", sha256="s", asked="q", document_id=1, job_id=2, files={"a.md": "h"})


def test_what_was_noted_is_found_by_the_next_run_also_after_a_line_was_cut_short(tmp_path: Path) -> None:
    folder = tmp_path / "x" / "a"
    journal = Journal(tmp_path)
    journal.add(folder, ENTRY)
    journal.close()
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"folder":"x/b","sha')
    journal = Journal(tmp_path)
    assert journal.find(folder, "s", "q") == msgspec.structs.replace(ENTRY, folder="x/a")
    assert journal.find(folder, "other bytes", "q") is None
    assert journal.find(folder, "s", "other question") is None
    journal.add(tmp_path / "x" / "b", ENTRY)
    journal.close()
    journal = Journal(tmp_path)
    assert journal.find(tmp_path / "x" / "b", "s", "q") is not None
    journal.close()


def test_a_second_one_for_the_same_folder_is_refused_until_the_first_is_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(InUse):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_what_is_asked_has_a_hash_that_order_does_not_change() -> None:
    assert asked_of({"profile": None, "options": {"a": 1, "b": 2}}) == asked_of(
        {"options": {"b": 2, "a": 1}, "profile": None}
    )
    assert asked_of({"profile": "x"}) != asked_of({"profile": None})


def test_a_folder_that_was_begun_is_known_and_not_complete(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(tmp_path / "done", ENTRY)
    for name in ("done", "begun"):
        journal.begin(tmp_path / name, "s")
    journal.close()
    journal = Journal(tmp_path)
    assert journal.folders("s") == ["done", "begun"]
    assert journal.find(tmp_path / "done", "s", "q") is not None
    assert journal.find(tmp_path / "begun", "s", "q") is None
    journal.begin(tmp_path / "done", "other bytes")
    assert (journal.owner("done"), journal.folders("s")) == ("other bytes", ["begun"])
    journal.close()
