"""What a killed parent leaves behind, and what the next start makes of it."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from docrefinery.embedded import EmbeddedServices, assembly, locate
from docrefinery.embedded.waiting import until
from tests.integration.embedded.support import Ask, Hold, Run, ended


@pytest.fixture
def stranger(services: EmbeddedServices) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the same user as the servers that has nothing to do with them."""
    uids = psutil.Process(services.pids["PostgreSQL"]).uids()
    user: dict[str, Any] = {"user": uids.real} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], **user) as process:
        yield process
        process.kill()


def test_a_killed_parent_takes_the_servers_along(hold: Hold, tmp_path: Path) -> None:
    holder = hold(tmp_path / "data").await_ready()
    children = psutil.Process(holder.process.pid).children(recursive=True)
    assert {"postgres", "valkey-server"} <= {child.name() for child in children}
    holder.kill()
    assert until(lambda: all(map(ended, children)), 5)


def test_acknowledged_data_survives_and_the_next_start_comes_at_once(
    hold: Hold, run: Run, tmp_path: Path, ask: Ask
) -> None:
    holder = hold(tmp_path / "data").await_ready()
    ask.sql(holder.urls["migration_database_url"], "CREATE TABLE kept AS SELECT 42 AS answer")
    ask.valkey(holder.urls["redis_url"], "SET", "kept", "yes")
    holder.kill()
    services = run(tmp_path / "data")
    assert ask.sql(services.migration_database_url, "SELECT answer FROM kept") == 42
    assert ask.valkey(services.redis_url, "GET", "kept") == "yes"
    assert not Path(urlsplit(holder.urls["redis_url"]).path).parent.exists()


def test_servers_that_do_not_hear_the_death_signal_are_ended(
    hold: Hold, run: Run, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "_ORPHANS_PATIENCE_S", 0.2)
    holder = hold(tmp_path / "data").await_ready()
    orphans = [psutil.Process(pid) for pid in holder.pids.values()]
    for orphan in orphans:
        orphan.send_signal(signal.SIGSTOP)
    holder.kill()
    services = run(tmp_path / "data")
    assert all(map(ended, orphans))
    assert ask.sql(services.database_url, "SELECT 1") == 1


def test_a_pid_file_that_names_a_stranger_by_now_is_no_obstacle(
    hold: Hold, run: Run, stranger: "subprocess.Popen[bytes]", tmp_path: Path, ask: Ask
) -> None:
    holder = hold(tmp_path / "data").await_ready()
    pid_file = tmp_path / "data" / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    owner, postmaster = pid_file.stat(), psutil.Process(holder.pids["PostgreSQL"])
    holder.kill()
    assert until(lambda: ended(postmaster), 5)
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
    os.chown(pid_file, owner.st_uid, owner.st_gid)
    services = run(tmp_path / "data")
    assert ask.sql(services.database_url, "SELECT 1") == 1
    assert stranger.poll() is None


def test_a_kill_during_the_first_start_leaves_nothing_in_the_way(
    hold: Hold, run: Run, tmp_path: Path, ask: Ask
) -> None:
    holder = hold(tmp_path / "data")
    assert "first start" in holder.read()["progress"]
    draft = tmp_path / "data" / "postgres.new"
    assert until((draft / "PG_VERSION").exists, 10)
    holder.kill()
    assert not (tmp_path / "data" / "postgres").exists()
    services = run(tmp_path / "data")
    assert ask.sql(services.database_url, "SELECT 1") == 1
    assert not draft.exists()


def test_an_interrupted_first_start_cleans_up_itself(hold: Hold, tmp_path: Path) -> None:
    holder = hold(tmp_path / "data", stderr=subprocess.DEVNULL)
    assert "first start" in holder.read()["progress"]
    draft = tmp_path / "data" / "postgres.new"
    assert until(draft.exists, 10)
    holder.process.send_signal(signal.SIGINT)
    assert holder.finish() != 0
    assert sorted(entry.name for entry in (tmp_path / "data").iterdir()) == ["lock", "logs", "valkey"]


def test_a_half_made_database_is_swept(run: Run, tmp_path: Path, ask: Ask) -> None:
    draft = tmp_path / "data" / "postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    services = run(tmp_path / "data")
    assert ask.sql(services.database_url, "SELECT 1") == 1
    assert not draft.exists()


def test_a_record_of_sockets_removes_nothing_but_sockets(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "docrefinery-0123456789abcdef"
    other.mkdir()
    (other / "letter.txt").write_text("keep me")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "socket-folder").write_text(str(other))
    run(tmp_path / "data")
    assert (other / "letter.txt").read_text() == "keep me"


def test_a_killed_holder_counts_as_nobody(hold: Hold, tmp_path: Path) -> None:
    holder = hold(tmp_path / "data").await_ready()
    assert locate(tmp_path / "data")
    holder.kill()
    assert json.loads((tmp_path / "data" / "endpoints.json").read_text())
    assert locate(tmp_path / "data") is None
