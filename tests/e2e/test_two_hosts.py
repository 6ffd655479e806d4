"""Workers on two hosts, with one API, database, broker and object storage: one host is cut off and comes back."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from docrefinery.embedded import EmbeddedServices
from tests.support.hosts import Host, Network, network
from tests.support.pdfs import born_digital, slow
from tests.support.processes import DOCREFINERY, docrefinery, end_all, environment, wait_until
from tests.support.refinery import Client, fresh
from tests.support.s3 import BUCKET, ObjectStorage, free_ports

LEASE_SECONDS = 3
PAGES = 24
WORKERS = {"host-a": 10, "host-b": 11}


@pytest.fixture
def lan() -> Iterator[Network]:
    """A network of its own."""
    with network(77) as made:
        yield made


@pytest.fixture
def environ(lan: Network, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What every process of the installation is told, wherever it runs."""
    home = tmp_path / "s3"
    home.mkdir()
    storage = ObjectStorage(home)
    with EmbeddedServices(tmp_path / "services", durable=False) as services:
        try:
            storage.start()
            database = _over(lan, services.database_url, "/.s.PGSQL.5432")
            owner = _over(lan, services.migration_database_url, "/.s.PGSQL.5432")
            broker = lan.lead_to(urlsplit(services.redis_url).path)
            s3 = urlsplit(storage.url)
            assert s3.hostname
            assert s3.port
            yield environment(
                DATABASE_URL=database,
                DOCREFINERY_MIGRATION_DATABASE_URL=owner,
                REDIS_URL=f"redis://{lan.address}:{broker}/0",
                DOCREFINERY_STORAGE_URL=f"s3://{BUCKET}",
                DOCREFINERY_LEASE_SECONDS=str(LEASE_SECONDS),
                DOCREFINERY_SWEEP_SECONDS="0.5",
                DOCREFINERY_SLICE_PAGES="0",
                **storage.environ(url=f"http://{lan.address}:{lan.lead_to((s3.hostname, s3.port))}"),
            )
        finally:
            storage.kill()


def _over(lan: Network, url: str, name: str) -> str:
    """Return the address of a database that listens on a Unix socket, as hosts of the network reach it."""
    parts = urlsplit(url)
    [folder] = parse_qs(parts.query)["host"]
    port = lan.lead_to(folder + name)
    return f"postgresql://{parts.username}:{parts.password}@{lan.address}:{port}{parts.path}"


@contextmanager
def an_api(environ: dict[str, str], home: Path) -> Iterator[Client]:
    """Run the API of a new schema, with a client of its one tenant."""
    home.mkdir()
    for arguments in (["migrate"], ["tenant", "create", "acme"]):
        assert docrefinery(*arguments, environ=environ, cwd=home).returncode == 0
    created = docrefinery("key", "create", "--tenant", "acme", "--scope", "all", environ=environ, cwd=home)
    port = free_ports()["s3.port"]
    with home.joinpath("log.txt").open("ab") as log:
        process = subprocess.Popen(
            [*DOCREFINERY, "api", "--port", str(port)], env=environ, cwd=home, stdout=log, stderr=log
        )
    try:
        with Client(f"http://127.0.0.1:{port}", created.stdout.splitlines()[0]) as client:
            yield client
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def alive(client: Client) -> dict[str, int | None]:
    """Return which hosts have a worker that is alive, and the job of each."""
    try:
        answer = client.get("/v1/dashboard/workers")
    except httpx.TransportError:
        return {}
    if answer.status_code != 200:
        return {}
    return {
        worker["hostname"]: worker["current_job_id"]
        for worker in answer.json()["results"]
        if worker["status"] in ("IDLE", "BUSY")
    }


@pytest.mark.timeout(180)
def test_jobs_of_a_host_that_is_cut_off_are_done_by_the_other_and_it_comes_back(
    lan: Network, environ: dict[str, str], tmp_path: Path
) -> None:
    hosts: dict[str, Host] = {name: lan.host(name, byte) for name, byte in WORKERS.items()}
    workers: list[subprocess.Popen[bytes]] = []
    try:
        with an_api(environ | {"DOCREFINERY_DATA_DIR": str(tmp_path / "api" / "data")}, tmp_path / "api") as client:
            for name, host in hosts.items():
                home = tmp_path / name
                own = environ | {"DOCREFINERY_DATA_DIR": str(home / "data")}
                workers.append(host.run("worker", environ=own, home=home))
            wait_until(lambda: set(alive(client)) == set(hosts), 60, "both hosts have a worker")
            jobs = [client.submit(fresh(slow(PAGES)), profile="fast_text")["job_id"] for _ in range(4)]
            wait_until(lambda: None not in [alive(client).get(name) for name in hosts], 60, "both hosts work")
            held = alive(client)["host-b"]
            hosts["host-b"].cut_off()
            for job_id in jobs:
                client.assert_converted(job_id, ("docling_json", "doctags", "markdown", "text"))
            assert held in jobs
            wait_until(lambda: set(alive(client)) == {"host-a"}, 30, "the host that was cut off is missed")
            hosts["host-b"].join()
            wait_until(lambda: set(alive(client)) == set(hosts), 60, "it is back")
            # More than the other host has done before this one's connection to the broker has come to its senses.
            later = [client.submit(fresh(slow(PAGES)), profile="fast_text")["job_id"] for _ in range(6)]
            wait_until(lambda: alive(client).get("host-b") in later, 60, "it works again")
            for job_id in [*later, client.submit(fresh(born_digital()))["job_id"]]:
                client.assert_converted(job_id, ("docling_json", "doctags", "markdown", "text"))
            # What it came to while it was cut off is published by nobody.
            assert all(len(client.artifacts(job_id)) == 4 for job_id in jobs)
    finally:
        end_all(tmp_path)
        for process in workers:
            process.wait(10)
