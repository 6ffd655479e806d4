"""A long document read by every worker, against the same one read by one."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from bench.long import join_pages
from bench.service import running, upload

PAGES = 440
ROUNDS = 5


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
        rounds = [(_one(*at_once), _one(*in_parts)) for _ in range(ROUNDS + 1)][1:]
    whole, parted = (median(times) for times in zip(*rounds, strict=True))
    return {
        f"{PAGES} pages, fast_text, read by one worker, s": whole,
        f"{PAGES} pages, fast_text, read by {workers} workers, s": parted,
        "a long document shared, of the time of one that is not": median(b / a for a, b in rounds),
    }


@contextmanager
def _service(workers: int, slice_pages: str, content: bytes) -> Iterator[tuple[httpx.Client, int]]:
    with running(workers, DOCREFINERY_SLICE_PAGES=slice_pages) as service, service.client() as client:
        yield client, upload(client, content, "long.pdf")["id"]


def _one(client: httpx.Client, document: int) -> float:
    started = time.perf_counter()
    asked = {"document_id": document, "profile": "fast_text"}
    job = client.post("/v1/jobs/", json=asked).raise_for_status().json()["id"]
    while (state := client.get(f"/v1/jobs/{job}/", params={"wait": 30}).json())["status"] in ("QUEUED", "RUNNING"):
        pass
    if state["status"] != "SUCCEEDED":
        raise RuntimeError(f"the long document came to {state['status']}: {state['error_message']}")
    return time.perf_counter() - started


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        long = long_document(sorted(Path(sys.argv[1]).rglob("*.pdf")), Path(scratch))
    for name, value in parted_against_whole(long, len(os.sched_getaffinity(0))).items():
        print(f"{name}: {value:.2f}")
