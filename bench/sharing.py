"""A long document read by every worker, against the same one read by one."""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from bench.long import join_pages
from bench.service import running, upload

PAGES = 440
ROUNDS = 3


def long_document(paths: Sequence[Path], folder: Path) -> bytes:
    """Return a document of 440 pages, made of those of others."""
    target = folder / "long.pdf"
    join_pages(paths, PAGES, target)
    return target.read_bytes()


def parted_against_whole(content: bytes, workers: int) -> dict[str, float]:
    """Return the seconds that a long document takes each way, the best of some rounds, and their ratio."""
    whole, parted = (_seconds(content, workers, pages) for pages in ("0", "48"))
    return {
        f"{PAGES} pages, fast_text, read by one worker, s": whole,
        f"{PAGES} pages, fast_text, read by {workers} workers, s": parted,
        "a long document shared, of the time of one that is not": parted / whole,
    }


def _seconds(content: bytes, workers: int, slice_pages: str) -> float:
    with running(workers, DOCREFINERY_SLICE_PAGES=slice_pages) as service, service.client() as client:
        document = upload(client, content, "long.pdf")["id"]
        return min(_one(client, document) for _ in range(ROUNDS))


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
