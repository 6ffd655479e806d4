"""The first start, the second one, and the ones that cannot be."""

import select
import socket
import stat
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital
from tests.support.processes import docrefinery, environment, working_in
from tests.support.refinery import Refinery, fresh


def test_a_second_start_prints_the_same_key_and_keeps_the_data(make: Start) -> None:
    own = make().start()
    key = own.key
    file = own.data_dir / "api-key"
    assert file.read_text().strip() == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # Of root's the converters' group may pass through, to folders of its own.
    assert stat.S_IMODE(own.data_dir.stat().st_mode) in (0o700, 0o710)
    job_id = own.client.submit(fresh(born_digital()))["job_id"]
    own.client.assert_converted(job_id)
    own.stop()
    assert not working_in(own.home)
    own.start()
    assert own.key == key
    own.assert_one_set(job_id)


def test_a_second_up_on_one_data_dir_says_in_one_line_who_holds_it(refinery: Refinery) -> None:
    refused = refinery.command("up", "--port", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert f"in use by process {refinery.pid} " in line
    assert str(refinery.data_dir) in line
    assert refinery.client.get("/healthz").status_code == 200


def test_a_port_in_use_is_one_line_and_leaves_nothing_running(make: Start) -> None:
    own = make()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = own.command("up", "--port", port)
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert f"Cannot listen on 127.0.0.1:{port}" in line
    assert "--port" in line
    assert not working_in(own.home)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DOCREFINERY_WORKER", "2", ["DOCREFINERY_WORKER", "DOCREFINERY_WORKERS"]),
        ("DOCREFINERY_WORKERS", "many", ["DOCREFINERY_WORKERS", "many"]),
        ("DOCREFINERY_PORT", "70000", ["DOCREFINERY_PORT", "70000", "65535"]),
        ("UPLOAD_MAX_SIZE_MB", "0", ["UPLOAD_MAX_SIZE_MB", "1"]),
        ("DOCREFINERY_LOG_FORMAT", "yaml", ["DOCREFINERY_LOG_FORMAT", "yaml", "json"]),
        ("DOCREFINERY_PLUGINS", "builtins", ["builtins", "builtin"]),
        ("DOCREFINERY_CLAMD_ADDRESS", "nowhere", ["DOCREFINERY_CLAMD_ADDRESS", "nowhere", "host:port"]),
        ("DATABASE_URL", "mysql://db/name", ["DATABASE_URL", "mysql"]),
        ("REDIS_URL", "http://cache", ["REDIS_URL", "http"]),
        ("DOCREFINERY_STORAGE_URL", "ftp://host/x", ["DOCREFINERY_STORAGE_URL", "ftp"]),
        ("DOCREFINERY_STORAGE_URL", "file:///proc/nope", ["DOCREFINERY_STORAGE_URL", "storage folder /proc/nope"]),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start_in_one_line(
    name: str, value: str, words: list[str], make: Start
) -> None:
    own = make()
    refused = docrefinery("up", "--port", "0", environ=own.environ | {name: value}, cwd=own.home)
    assert (refused.returncode, refused.stdout) == (1, ""), refused
    (line,) = refused.stderr.splitlines()
    assert line.startswith("docrefinery: ")
    assert [word for word in words if word not in line] == []
    assert not working_in(own.home)


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_storage_folder_that_cannot_be_made_is_told_as_such(role: str, tmp_path: Path) -> None:
    environ = environment(
        DOCREFINERY_DATA_DIR=str(tmp_path),
        DOCREFINERY_STORAGE_URL="file:///proc/nope",
        DATABASE_URL="postgresql://who@127.0.0.1:9/none",
        REDIS_URL="redis://127.0.0.1:9/0",
    )
    refused = docrefinery(role, environ=environ)
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert "The storage folder /proc/nope cannot be opened" in line
    assert "database" not in line


def test_a_data_dir_that_cannot_be_made_is_one_line() -> None:
    refused = docrefinery("up", "--port", "0", "--data-dir", "/proc/nowhere/data", environ=environment())
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert "/proc/nowhere/data" in line


def test_a_connection_rests_for_as_long_as_its_client_wants_to_reuse_it(refinery: Refinery) -> None:
    parts = urlsplit(refinery.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    with closing(connection):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        # httpx lets one go after 5 s; if the server is the first, a request may cross with its end.
        assert not select.select([connection.sock], [], [], 6)[0]
