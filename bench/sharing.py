"""A long document read by every worker, against the same one read by one."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from msgspec import Struct

from bench.long import join_pages
from bench.service import Service, running, upload

PAGES = 440
ROUNDS = 9
PAUSE_SECONDS = 0.5


def long_document(paths: Sequence[Path], folder: Path) -> bytes:
    """Return a document of 440 pages, made of those of others."""
    target = folder / "long.pdf"
    join_pages(paths, PAGES, target)
    return target.read_bytes()


def parted_against_whole(content: bytes, workers: int) -> dict[str, float]:
    """Return the seconds that a long document takes each way, and their ratio: the medians of some rounds.

    The ways take turns, and each ratio is of two runs that follow each other: machines are not always equally fast.
    """
    with _service(workers, "0", content) as at_once, _service(workers, "48", content) as in_parts:
        rounds = [(_one(at_once, in_parts), _one(in_parts, at_once)) for _ in range(ROUNDS + 1)][1:]
    whole, parted = (median(times) for times in zip(*rounds, strict=True))
    return {
        f"{PAGES} pages, fast_text, read by one worker, s": whole,
        f"{PAGES} pages, fast_text, read by {workers} workers, s": parted,
        "a long document shared, of the time of one that is not": median(b / a for a, b in rounds),
    }


class _Way(Struct):
    """A service that does it one way, and the document there."""

    service: Service
    client: httpx.Client
    document: int

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Have it stand still: its workers look for jobs all the time, and there are no more processors than needed."""
        processes = [self.service.process, *self.service.process.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()


@contextmanager
def _service(workers: int, slice_pages: str, content: bytes) -> Iterator[_Way]:
    with running(workers, DOCREFINERY_SLICE_PAGES=slice_pages) as service, service.client() as client:
        yield _Way(service, client, upload(client, content, "long.pdf")["id"])


def _one(way: _Way, other: _Way) -> float:
    """Return the seconds that one way takes while the other sleeps."""
    # It woke up a moment ago, and its workers say that they live.
    time.sleep(PAUSE_SECONDS)
    with other.asleep():
        started = time.perf_counter()
        asked = {"document_id": way.document, "profile": "fast_text"}
        job = way.client.post("/v1/jobs/", json=asked).raise_for_status().json()["id"]
        while (state := _state(way.client, job))["status"] in ("QUEUED", "RUNNING"):
            pass
        seconds = time.perf_counter() - started
    if state["status"] != "SUCCEEDED":
        raise RuntimeError(f"the long document came to {state['status']}: {state['error_message']}")
    return seconds


def _state(client: httpx.Client, job: int) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/jobs/{job}/", params={"wait": 30}).json()
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        long = long_document(sorted(Path(sys.argv[1]).rglob("*.pdf")), Path(scratch))
    for name, value in parted_against_whole(long, len(os.sched_getaffinity(0))).items():
        print(f"{name}: {value:.2f}")
