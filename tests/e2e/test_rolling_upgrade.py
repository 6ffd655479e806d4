"""One release step without a pause: the previous release's processes go on on the new schema, beside the new ones."""

import shutil
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from docrefinery.embedded import EmbeddedServices
from tests.support.hooks import SECRET
from tests.support.pdfs import born_digital, eicar_pdf, slow
from tests.support.processes import COMMAND, end_all, environment, wait_until
from tests.support.receivers import Server, receiving
from tests.support.refinery import Client, fresh
from tests.support.told import assert_all_told

# Made by `make previous` when it was released.
PREVIOUS = Path(__file__).parents[1] / "data/previous-release.tar.xz"
LOG = "log.txt"


class Release:
    """One release's processes on the operator's servers."""

    def __init__(self, name: str, home: Path, environ: dict[str, str], source: Path | None = None) -> None:
        """Take settings, and the folder that its code is in unless it is this one."""
        self.name = name
        self._home = home
        self._environ = environ | ({"PYTHONPATH": str(source)} if source else {})
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def command(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed."""
        return self._python(*COMMAND, *arguments)

    def code(self) -> str:
        """Return where its code is."""
        return self._python("-c", "import docrefinery; print(docrefinery.__file__)")

    def _python(self, *arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, *arguments],
            env=self._environ, cwd=self._home, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def start(self) -> None:
        """Start an API and a worker."""
        with (self._home / LOG).open("ab") as log:
            for what in (["api", "--port", self.url.rpartition(":")[2]], ["worker"]):
                self._running[what[0]] = subprocess.Popen(
                    [sys.executable, *COMMAND, *what], env=self._environ, cwd=self._home, stdout=log, stderr=log
                )
        wait_until(self._ready, 40, f"the {self.name} release is ready")

    def _ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/readyz", trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and "alive" in answer.text

    def stop(self) -> None:
        """Stop them in order."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            assert process.wait(20) in (0, -signal.SIGTERM)

    def client(self, key: str) -> Client:
        """Return a client of its API."""
        return Client(self.url, key)


@pytest.fixture
def receiver() -> Iterator[Server]:
    with receiving() as server:
        yield server


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[tuple[Release, Release]]:
    """The previous release and this one, on the same servers; nothing runs yet."""
    with tarfile.open(PREVIOUS) as archive:
        archive.extractall(tmp_path / "previous", filter="data")
    with EmbeddedServices(tmp_path / "services", durable=False) as services:
        environ = environment(
            DATABASE_URL=services.database_url,
            DOCREFINERY_MIGRATION_DATABASE_URL=services.migration_database_url,
            REDIS_URL=services.redis_url,
            DOCREFINERY_DATA_DIR=str(tmp_path / "data"),
            DOCREFINERY_STORAGE_URL=(tmp_path / "files").as_uri(),
            DOCREFINERY_SECRET_KEYS=Fernet.generate_key().decode(),
            DOCREFINERY_WEBHOOK_ALLOW_NETS="127.0.0.0/8",
            DOCREFINERY_WEBHOOK_RETRY_DELAYS="0,0.2,0.5,1,2,5,5",
            DOCREFINERY_SWEEP_SECONDS="0.5",
            TMPDIR=str(tmp_path),
        )
        home = tmp_path / "home"
        home.mkdir()
        yield (Release("previous", home, environ, tmp_path / "previous/src"), Release("new", home, environ))
        end_all(home)


def a_day_in_its_life(client: Client) -> list[int]:
    """Use everything that an API has; returns the jobs that it made."""
    done = client.submit(fresh(born_digital()))
    client.assert_converted(done["job_id"])
    assert client.delete(f"/v1/documents/{done['id']}/").status_code == 204
    infected = client.submit(fresh(eicar_pdf()))["job_id"]
    assert client.finished(infected)["status"] == "QUARANTINED"
    assert client.post(f"/v1/jobs/{infected}/retry/").status_code == 202
    assert client.finished(infected)["status"] == "QUARANTINED"
    stopped = client.submit(fresh(slow(60)))["job_id"]
    assert client.post(f"/v1/jobs/{stopped}/cancel/").status_code in (200, 202)
    assert client.finished(stopped)["status"] == "CANCELED"
    files, headers = {"file": ("a.pdf", fresh(born_digital()))}, {"Idempotency-Key": str(stopped)}
    first, second = (client.post("/v1/documents/", files=files, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotency-replayed"] == "true"
    for path in ("documents", "jobs", "artifacts", "webhooks", "profiles", "exporters"):
        assert client.get(f"/v1/{path}/").status_code == 200
    for path in ("summary", "workers"):
        assert client.get(f"/v1/dashboard/{path}").status_code == 200
    return [done["job_id"], infected, stopped]


def sent_to_one_and_again_to_the_other(one: Client, other: Client, key: str) -> None:
    """Send an upload and a job twice with their keys, as through a balancer in front of both releases."""
    files, headers = {"file": ("a.pdf", fresh(born_digital()))}, {"Idempotency-Key": key}
    first, second = (client.post("/v1/documents/", files=files, headers=headers) for client in (one, other))
    assert (first.status_code, second.status_code) == (201, 201), second.text
    assert second.json()["id"] == first.json()["id"]
    body, headers = {"document_id": first.json()["id"]}, {"Idempotency-Key": f"{key} job"}
    first, second = (client.post("/v1/jobs/", json=body, headers=headers) for client in (one, other))
    assert (first.status_code, second.status_code) == (201, 201), second.text
    assert second.json()["id"] == first.json()["id"]
    assert one.finished(first.json()["id"])["status"] == "SUCCEEDED"


@pytest.mark.timeout(240)
def test_processes_of_the_previous_release_go_on_beside_the_new_ones(
    releases: tuple[Release, Release], receiver: Server, tmp_path: Path
) -> None:
    previous, new = releases
    assert str(tmp_path) in previous.code()
    assert str(tmp_path) not in new.code()
    previous.command("migrate")
    previous.command("tenant", "create", "acme")
    key = previous.command("key", "create", "--tenant", "acme", "--scope", "all").splitlines()[0]
    previous.start()
    with previous.client(key) as old_client, new.client(key) as new_client:
        hook = {"name": "a", "url": receiver.url, "secret": SECRET}
        assert old_client.post("/v1/webhooks/", json=hook).status_code == 201
        in_hand = old_client.submit(fresh(slow(12)))["job_id"]
        old_client.running(in_hand)
        # Under their feet.
        new.command("migrate")
        job_ids = [in_hand, *a_day_in_its_life(old_client)]
        new.start()
        sent_to_one_and_again_to_the_other(old_client, new_client, "from the previous release")
        sent_to_one_and_again_to_the_other(new_client, old_client, "from the new release")
        both = (old_client, new_client) * 4
        job_ids += [client.submit(fresh(born_digital(3)))["job_id"] for client in both]
        job_ids += a_day_in_its_life(old_client) + a_day_in_its_life(new_client)
        ends = {job_id: (old_client.finished(job_id)["status"], new_client.job(job_id)["status"]) for job_id in job_ids}
        assert all(one == other for one, other in ends.values()), ends
        assert [old_client.job(job_id)["attempt"] for job_id in (in_hand, *job_ids[4:12])] == [1] * 9
        handed_over = [old_client.submit(fresh(slow(6)))["job_id"] for _ in range(3)]
        previous.stop()
        for job_id in handed_over:
            new_client.assert_converted(job_id)
        for job_id in (*job_ids, *handed_over):
            assert_all_told(new_client, receiver, job_id)
        new.stop()
    assert "Traceback" not in (tmp_path / "home" / LOG).read_text()
    shutil.rmtree(tmp_path / "previous")
