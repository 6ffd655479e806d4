"""Whether a result is what its exporter declares."""

import json
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from docrefinery.pipeline.contents import MOST_ENTRIES, BadContent, check

DOCUMENT = {"schema_name": "DoclingDocument", "version": "1.10.0", "texts": [{"text": "x"}]}


def archive(path: Path, *names: str, mode: int = 0, content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            entry = zipfile.ZipInfo("placeholder")
            # As others write it: the class itself would mend the name.
            entry.filename = entry.orig_filename = name
            entry.external_attr = mode << 16
            file.writestr(entry, content)
    return path


def test_a_document_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(DOCUMENT))
    check(path, "docling_json", "application/json")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        '"DoclingDocument"',
        "{}",
        json.dumps(DOCUMENT)[:-3],
        json.dumps(DOCUMENT) + "x",
        json.dumps(DOCUMENT | {"schema_name": "Other"}),
        json.dumps(DOCUMENT | {"version": 2}),
        json.dumps(DOCUMENT | {"version": "new"}),
        json.dumps(DOCUMENT)[:-1] + ', "x": ' + "[" * 100_000,
    ],
    ids=[
        *("empty", "null", "list", "text", "nothing", "cut", "longer", "another schema", "number", "no version", "deep")
    ],
)
def test_what_is_no_document_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(BadContent):
        check(path, "docling_json", "application/json")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"])
def test_what_is_declared_as_json_is_json(tmp_path: Path, content_type: str) -> None:
    path = tmp_path / "a.json"
    path.write_text('[1, {"a": null}]')
    check(path, "anything", content_type)
    path.write_text("{'a': 1}")
    with pytest.raises(BadContent, match="JSON"):
        check(path, "anything", content_type)


def test_what_is_declared_as_text_is_not_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\x00")
    check(path, "text", "text/plain")


def test_an_archive_of_folders_and_files_is_one(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "a/", "a/figure 1.png", "..hidden", "ä.png", mode=stat.S_IFREG | 0o644)
    check(path, "figures_zip", "application/zip")
    check(path, "another", "application/zip")


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/etc/passwd", "C:/a", "c:a", "a\\..\\b", "\\\\host\\a", "", "..", "a/.."],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadContent):
        check(archive(tmp_path / "a.zip", "fine", name), "figures_zip", "application/zip")


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b.png", "C:", "/", "\\"]), min_size=1, max_size=5).map("/".join))
def test_a_name_that_is_accepted_stays_below_the_folder_it_is_unpacked_to(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    path = archive(tmp_path_factory.mktemp("zip") / "a.zip", name)
    try:
        check(path, "figures_zip", "application/zip")
    except BadContent:
        return
    assert (path.parent / "into" / name).resolve().is_relative_to(path.parent / "into")
    assert "\\" not in name


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_entries_that_are_no_files_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadContent, match="no file"):
        check(archive(tmp_path / "a.zip", "link", mode=mode | 0o777), "figures_zip", "application/zip")


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = archive(tmp_path / "a.zip", "a", "a")
    with pytest.raises(BadContent, match="one name"):
        check(path, "figures_zip", "application/zip")


def test_a_table_of_contents_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "a")
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x05\x06")
    for count, size in ((MOST_ENTRIES + 1, 46), (0xFFFF, 46), (1, 0xFFFFFFFF)):
        struct.pack_into("<2H2L", content, at + 8, count, count, size, 0)
        path.write_bytes(content)
        with pytest.raises(BadContent, match="entries"):
            check(path, "figures_zip", "application/zip")


@pytest.mark.parametrize("comment", [b"", b"x" * 65_535], ids=["no comment", "longest comment"])
def test_a_table_of_contents_elsewhere_is_not_read(tmp_path: Path, comment: bytes) -> None:
    """As ZIP64 has it, whose numbers count instead of those that are bounded."""
    path = archive(tmp_path / "a.zip", "a")
    content = path.read_bytes()
    at = content.rfind(b"PK\x05\x06")
    *_, size, offset, _ = struct.unpack_from("<4s4H2LH", content, at)
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    last = content[at:-2] + struct.pack("<H", len(comment)) + comment
    path.write_bytes(content[:at] + end + locator + last)
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ["a"]
    with pytest.raises(BadContent, match="ZIP64"):
        check(path, "figures_zip", "application/zip")


def test_entries_are_counted_whatever_is_said_of_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docrefinery.pipeline.contents.MOST_ENTRIES", 2)
    path = archive(tmp_path / "a.zip", "a", "b", "c")
    content = bytearray(path.read_bytes())
    struct.pack_into("<2H", content, content.rfind(b"PK\x05\x06") + 8, 1, 1)
    path.write_bytes(content)
    with pytest.raises(BadContent, match="more than 2 entries"):
        check(path, "figures_zip", "application/zip")


def test_what_would_unpack_to_terabytes_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", *(f"{number}" for number in range(4)))
    content = bytearray(path.read_bytes())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        struct.pack_into("<L", content, at + 24, 0xFFFFFFF0)
    path.write_bytes(content)
    with pytest.raises(BadContent, match="unpack"):
        check(path, "figures_zip", "application/zip")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06", b"x" * 100, b"PK\x05\x06" + b"\0" * 17])
def test_what_is_no_archive_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(BadContent, match="no ZIP archive"):
        check(path, "figures_zip", "application/zip")
