"""The service under measurement: `docrefinery up` on a folder of its own, and a client."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from msgspec import Struct

FINISHED = "SUCCEEDED,FAILED,CANCELED,QUARANTINED"


class Service(Struct):
    """A running installation."""

    url: str
    key: str
    start_seconds: float
    process: psutil.Process
    data_dir: Path

    def client(self) -> httpx.Client:
        """Return a client with the first start's key."""
        headers = {"Authorization": f"Api-Key {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    @property
    def api(self) -> psutil.Process:
        """The API process."""
        return next(child for child in self.process.children() if "api" in child.cmdline())

    def api_rss_mib(self) -> float:
        """Return the API process's resident memory."""
        return float(self.api.memory_info().rss) / 2**20

    def api_cpu_seconds(self) -> float:
        """Return the processor time that the API process has taken so far."""
        times = self.api.cpu_times()
        return float(times.user + times.system)


@contextmanager
def running(workers: int, **settings: str) -> Iterator[Service]:
    """Start everything, with more settings, and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        started = time.perf_counter()
        command = [sys.executable, "-m", "docrefinery", "up", "--port", "0", "--data-dir", folder]
        # The webhooks of the benchmark lead to this machine.
        environ = os.environ | {"DOCREFINERY_WEBHOOK_ALLOW_NETS": "127.0.0.0/8"} | settings
        with subprocess.Popen(
            [*command, "--workers", str(workers)],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds = time.perf_counter() - started
            found = re.search(r"http://\S+", line)
            if found is None:
                raise RuntimeError("the service did not start")
            key = Path(folder, "api-key").read_text().strip()
            try:
                yield Service(found[0], key, seconds, psutil.Process(process.pid), Path(folder))
            finally:
                process.terminate()


def of_tenant(service: Service, name: str, *options: str) -> Service:
    """Create a tenant, with more options of the command, and return the service as it sees it."""
    said(service, "tenant", "create", name, *options)
    key = said(service, "key", "create", "--tenant", name, "--scope", "all")["key"]
    return Service(service.url, key, service.start_seconds, service.process, service.data_dir)


def said(service: Service, *arguments: str) -> dict[str, str]:
    """Run a command of the operator's and return what it says."""
    ran = subprocess.run(
        [sys.executable, "-m", "docrefinery", *arguments, "--json"],
        env=os.environ | {"DOCREFINERY_DATA_DIR": str(service.data_dir)},
        capture_output=True,
        check=True,
    )
    said: dict[str, str] = json.loads(ran.stdout)
    return said


def upload(client: httpx.Client, pdf: bytes, name: str, *, ingest: bool = False) -> dict[str, int]:
    """Upload a file and return the document."""
    answer = client.post(
        "/v1/documents/", files={"file": (name, pdf, "application/pdf")}, data={"ingest": str(ingest).lower()}
    )
    answer.raise_for_status()
    document: dict[str, int] = answer.json()
    return document


def convert_all(client: httpx.Client, documents: Sequence[int]) -> tuple[float, int]:
    """Process documents with ``fast_text`` and return the seconds that took, and the pages converted."""
    started = time.perf_counter()
    jobs = [
        client.post("/v1/jobs/", json={"document_id": document, "profile": "fast_text"}).raise_for_status().json()["id"]
        for document in documents
    ]
    pages = 0
    for job in jobs:
        state = client.get(f"/v1/jobs/{job}/").json()
        while state["status"] in ("QUEUED", "RUNNING"):
            state = client.get(f"/v1/jobs/{job}/", params={"wait": 30}).json()
        pages += state["pages_done"]
    return time.perf_counter() - started, pages
