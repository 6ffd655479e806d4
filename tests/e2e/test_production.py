"""Database and broker of the operator's own; API and worker as processes of their own."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from docrefinery.embedded import EmbeddedServices
from docrefinery.services.doorbell import QUEUE, WEBHOOKS
from docrefinery.worker.broker import build_broker, nudge
from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital
from tests.support.processes import DOCREFINERY, docrefinery, end_all, environment, wait_until
from tests.support.refinery import Client, fresh


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServices]:
    """A server that somebody else runs, without a schema."""
    with EmbeddedServices(tmp_path_factory.mktemp("services"), durable=False) as running:
        yield running


@pytest.fixture
def environ(services: EmbeddedServices, tmp_path: Path) -> dict[str, str]:
    """What an operator sets for every process."""
    return environment(
        DATABASE_URL=services.database_url,
        DOCREFINERY_MIGRATION_DATABASE_URL=services.migration_database_url,
        REDIS_URL=services.redis_url,
        DOCREFINERY_DATA_DIR=str(tmp_path / "data"),
        DOCREFINERY_STORAGE_URL=(tmp_path / "files").as_uri(),
        TMPDIR=str(tmp_path),
    )


def test_migrate_api_and_worker_run_on_their_own(environ: dict[str, str], tmp_path: Path) -> None:
    early = docrefinery("tenant", "list", environ=environ, cwd=tmp_path)
    assert (early.returncode, len(early.stderr.splitlines())) == (1, 1)
    assert "docrefinery migrate" in early.stderr
    first, second = (docrefinery("migrate", environ=environ, cwd=tmp_path) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert second.stdout == "0 migrations ran; the schema is up to date.\n"
    assert docrefinery("tenant", "create", "acme", environ=environ, cwd=tmp_path).returncode == 0
    created = docrefinery("key", "create", "--tenant", "acme", "--scope", "all", environ=environ, cwd=tmp_path)
    key = created.stdout.splitlines()[0]
    # Messages that are there before a worker is: it must not take them before it can work.
    broker = build_broker(environ["REDIS_URL"])
    for queue in (QUEUE, WEBHOOKS):
        broker.enqueue(nudge(queue))
    broker.close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.callback(end_all, tmp_path)
        log = stack.enter_context(tmp_path.joinpath("log.txt").open("ab"))
        running = [
            subprocess.Popen([*DOCREFINERY, *arguments], env=environ, cwd=tmp_path, stdout=log, stderr=log)
            for arguments in (["api", "--port", str(port)], ["worker"], ["worker"])
        ]

        def answers() -> bool:
            try:
                return "2 alive" in httpx.get(f"{url}/readyz", trust_env=False).text
            except httpx.TransportError:
                return False

        wait_until(answers, 30, "the API answers and two workers are alive")
        with Client(url, key) as client:
            for job_id in [client.submit(fresh(born_digital()))["job_id"] for _ in range(4)]:
                client.assert_converted(job_id)
        for process in running:
            process.terminate()
        assert all(process.wait(10) in (0, -signal.SIGTERM) for process in running)
        assert "Traceback" not in tmp_path.joinpath("log.txt").read_text()
    assert list(tmp_path.joinpath("data", "scratch").iterdir()) == []


@pytest.mark.parametrize("command", ["api", "worker", "migrate"])
def test_a_process_without_a_database_says_so_in_one_line(command: str, tmp_path: Path) -> None:
    ran = docrefinery(command, environ=environment(DOCREFINERY_DATA_DIR=str(tmp_path)), cwd=tmp_path, seconds=20)
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert "DATABASE_URL" in ran.stderr


def test_up_uses_the_servers_that_it_is_given(services: EmbeddedServices, environ: dict[str, str], make: Start) -> None:
    given = {name: environ[name] for name in ("DATABASE_URL", "DOCREFINERY_MIGRATION_DATABASE_URL", "REDIS_URL")}
    own = make(**given)
    own.start()
    assert own.processes("postgres") == []
    assert own.processes("valkey") == []
    own.client.assert_converted(own.client.submit(fresh(born_digital()))["job_id"])
