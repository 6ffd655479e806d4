"""Starting, using and stopping the services."""

import os
import shlex
import stat
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest

from docrefinery.embedded import DataDirInUse, EmbeddedError, EmbeddedServices, locate
from docrefinery.embedded.waiting import until
from tests.integration.embedded.support import Ask, Hold, Run


def test_fresh_start_gives_urls_that_work(services: EmbeddedServices, ask: Ask) -> None:
    assert ask.sql(services.database_url, "SELECT current_user") == "docrefinery_app"
    assert ask.sql(services.migration_database_url, "SELECT current_user") == "docrefinery_owner"
    assert ask.sql(services.admin_database_url, "SHOW is_superuser") == "on"
    assert ask.valkey(services.redis_url, "PING")


def test_the_database_is_utf8_with_checksums_and_without_a_port(services: EmbeddedServices, ask: Ask) -> None:
    assert ask.sql(services.database_url, "SHOW server_encoding") == "UTF8"
    assert ask.sql(services.database_url, "SHOW data_checksums") == "on"
    assert ask.sql(services.database_url, "SHOW listen_addresses") == ""
    locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
    assert ask.sql(services.database_url, locale) == "bC.UTF-8"
    assert not [c for pid in services.pids.values() for c in psutil.Process(pid).net_connections("inet")]


def test_the_app_role_uses_tables_but_cannot_create_them(services: EmbeddedServices, ask: Ask) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask.sql(services.database_url, "CREATE TABLE mine (id int)")
    grant = "GRANT SELECT, INSERT ON theirs TO docrefinery_app"
    ask.sql(services.migration_database_url, "CREATE TABLE theirs (id int)", grant)
    assert ask.sql(services.database_url, "INSERT INTO theirs VALUES (7) RETURNING id") == 7


def test_the_admin_role_creates_databases(services: EmbeddedServices, ask: Ask) -> None:
    ask.sql(services.admin_database_url, "CREATE DATABASE another OWNER docrefinery_owner")
    url = services.migration_database_url.replace("/docrefinery?", "/another?")
    assert ask.sql(url, "CREATE TABLE here (id int)", "SELECT current_database()") == "another"


def test_a_wrong_password_is_refused(services: EmbeddedServices, ask: Ask) -> None:
    password = urlsplit(services.admin_database_url.replace("@/", "@localhost/")).password
    assert password
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask.sql(services.admin_database_url.replace(password, "guess"))


def test_only_the_owner_reaches_sockets_and_secrets(services: EmbeddedServices) -> None:
    sockets = Path(urlsplit(services.redis_url).path).parent
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    for name in ("lock", "endpoints.json", "postgres/docrefinery.json", "logs/postgres.log", "logs/valkey.log"):
        assert stat.S_IMODE((services.data_dir / name).stat().st_mode) == 0o600
    assert "postgresql://" not in repr(services.endpoints)


def test_the_servers_are_out_of_reach_of_the_terminal(services: EmbeddedServices) -> None:
    for pid in services.pids.values():
        assert os.getsid(pid) == pid
        assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")


def test_the_servers_inherit_no_lock(services: EmbeddedServices) -> None:
    held = (services.data_dir / "lock").stat().st_ino
    for pid in services.pids.values():
        assert held not in [entry.stat().st_ino for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.exists()]


def test_a_forked_child_neither_keeps_the_lock_nor_stops_the_servers(run: Run, tmp_path: Path, ask: Ask) -> None:
    services = run(tmp_path / "data")
    go_on, end = os.pipe()
    if (child := os.fork()) == 0:
        services.stop()
        os.close(end)
        os.read(go_on, 1)
        os._exit(0)
    assert ask.sql(services.database_url, "SELECT 1") == 1
    services.stop()
    run(tmp_path / "data")
    os.close(end)
    os.waitpid(child, 0)


def test_data_survives_a_stop_and_a_start(run: Run, tmp_path: Path, ask: Ask) -> None:
    first = run(tmp_path / "data")
    ask.sql(first.migration_database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    ask.valkey(first.redis_url, "SET", "kept", "yes")
    first.stop()
    second = run(tmp_path / "data")
    assert ask.sql(second.migration_database_url, "SELECT answer FROM kept") == 42
    assert ask.valkey(second.redis_url, "GET", "kept") == "yes"


def test_stop_ends_busy_servers_in_time_and_leaves_nothing(run: Run, tmp_path: Path, ask: Ask) -> None:
    services = run(tmp_path / "data")
    sockets, pids = Path(urlsplit(services.redis_url).path).parent, services.pids
    query = threading.Thread(target=ask.sql_until_cut_off, args=(services.database_url, "SELECT pg_sleep(600)"))
    query.start()
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    assert until(lambda: ask.sql(services.admin_database_url, sleeping) == 1, 5)
    began = time.monotonic()
    services.stop()
    assert time.monotonic() - began < 5
    query.join()
    assert not sockets.exists()
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert locate(tmp_path / "data") is None
    with pytest.raises(EmbeddedError, match="not started"):
        _ = services.database_url


def test_a_second_start_names_the_holder(services: EmbeddedServices) -> None:
    with pytest.raises(DataDirInUse, match=str(services.data_dir)) as caught:
        EmbeddedServices(services.data_dir).start()
    assert caught.value.pid == os.getpid()
    assert caught.value.since.endswith("Z")
    assert caught.value.command == shlex.join(sys.argv)
    assert services.ensure() is None


def test_other_commands_find_a_running_instance(hold: Hold, tmp_path: Path, ask: Ask) -> None:
    assert locate(tmp_path / "data") is None
    holder = hold(tmp_path / "data")
    assert "first start" in holder.read()["progress"]
    found = locate(tmp_path / "data")
    assert found
    assert found.pid == holder.process.pid
    assert ask.sql(found.database_url, "SELECT 1") == 1
    assert holder.finish() == 0
    assert locate(tmp_path / "data") is None


def test_the_servers_outlive_the_thread_that_started_them(tmp_path: Path, ask: Ask) -> None:
    services = EmbeddedServices(tmp_path / "data", durable=False)
    thread = threading.Thread(target=services.start)
    thread.start()
    thread.join()
    try:
        assert ask.sql(services.database_url, "SELECT 1") == 1
        assert services.ensure() is None
    finally:
        services.stop()
