"""How long the one job of a tenant waits behind a thousand of another."""

import time

import httpx

from bench.service import Service, said, upload
from docrefinery.cli.sample import sample_pdf

AHEAD = 1000


def _seconds(client: httpx.Client, pdf: bytes) -> float:
    """Upload a document and return how long it took until it was processed."""
    started = time.perf_counter()
    job = upload(client, pdf, "one.pdf", ingest=True)["job_id"]
    while client.get(f"/v1/jobs/{job}/", params={"wait": 30}).json()["status"] in ("QUEUED", "RUNNING"):
        pass
    return time.perf_counter() - started


def waiting_behind_others(service: Service, busy: httpx.Client) -> dict[str, float]:
    """Measure one job of a tenant on an idle installation, and again behind a thousand of another tenant."""
    said(service, "tenant", "create", "quiet")
    service_of_quiet = Service(
        service.url,
        said(service, "key", "create", "--tenant", "quiet", "--scope", "all")["key"],
        service.start_seconds,
        service.process,
        service.data_dir,
    )
    with service_of_quiet.client() as quiet:
        alone = _seconds(quiet, sample_pdf() + b"%% alone\n")
        document = upload(busy, sample_pdf() + b"%% ahead\n", "ahead.pdf")["id"]
        for _ in range(AHEAD):
            busy.post("/v1/jobs/", json={"document_id": document, "profile": "fast_text"}).raise_for_status()
        behind = _seconds(quiet, sample_pdf() + b"%% behind\n")
        left = busy.get("/v1/dashboard/summary").raise_for_status().json()["queue"]["depth"]
        # Its deletion cancels what is still queued.
        busy.delete(f"/v1/documents/{document}/").raise_for_status()
    return {
        "one job alone, ms": alone * 1000,
        f"one job behind another tenant's {AHEAD:,}, ms": behind * 1000,
        "of those still queued when it was done": left,
    }
