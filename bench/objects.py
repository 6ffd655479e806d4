"""Uploads and downloads on object storage against a folder, and what a large file takes of the API's memory."""

import os
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.encryption import SIZE, seconds
from bench.service import Service, running
from tests.support.s3 import BUCKET, ObjectStorage

ROUNDS = 12
LARGE = 200 * 2**20
BOUNDARY = "the-boundary"


@contextmanager
def on_objects(**settings: str) -> Iterator[Service]:
    """Run the service on a server of S3 that runs beside it."""
    with tempfile.TemporaryDirectory() as folder:
        storage = ObjectStorage(Path(folder))
        try:
            environ = storage.start().environ() | {"DOCREFINERY_STORAGE_URL": f"s3://{BUCKET}/bench"} | settings
            with running(1, **environ) as service:
                yield service
        finally:
            storage.kill()


def objects_against_folder(service: Service) -> dict[str, float]:
    """Alternate between an installation on object storage and one on a folder, so that noise disturbs both alike."""
    with on_objects(UPLOAD_MAX_SIZE_MB="256") as other, other.client() as there, service.client() as here:
        seconds(there)
        seconds(here)
        rounds = [(seconds(here), seconds(there)) for _ in range(ROUNDS)]
        up, down = _growth_mib(other, there)
    figures = {}
    for name, place in (("upload", 0), ("download", 1)):
        ratios = [ours[place] / theirs[place] for ours, theirs in rounds]
        figures[f"{name} of 32 MiB, S3 against a folder (1 is as fast)"] = statistics.median(ratios)
        figures[f"{name} of 32 MiB, S3, MiB/s"] = SIZE / 2**20 / min(theirs[place] for _, theirs in rounds)
        figures[f"{name} of 32 MiB, folder, MiB/s"] = SIZE / 2**20 / min(ours[place] for ours, _ in rounds)
    return figures | {"memory of the API for 200 MiB up to S3, MiB": up, "and down again, MiB": down}


def _growth_mib(service: Service, client: httpx.Client) -> tuple[float, float]:
    """Return by how much the API grows over a large upload, and over its download."""
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with _watched(service) as up:
        answer = client.post("/v1/documents/", content=_form(), headers=headers)
    document = answer.raise_for_status().json()["id"]
    with _watched(service) as down, client.stream("GET", f"/v1/documents/{document}/file/") as file:
        if sum(map(len, file.iter_raw())) != LARGE:
            raise RuntimeError("the download is not whole")
    client.delete(f"/v1/documents/{document}/").raise_for_status()
    return max(up) - up[0], max(down) - down[0]


def _form() -> Iterator[bytes]:
    disposition = 'Content-Disposition: form-data; name="file"; filename="large.pdf"'
    yield f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode()
    yield b"%PDF-1.7\n".ljust(2**20)
    for _ in range(LARGE // 2**20 - 1):
        yield os.urandom(2**20)
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


@contextmanager
def _watched(service: Service) -> Iterator[list[float]]:
    """Look at the API's memory while the block runs."""
    seen, done = [service.api_rss_mib()], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            seen.append(service.api_rss_mib())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
