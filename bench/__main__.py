"""Run every benchmark and print a table."""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from bench.dashboard import summary_of_a_million
from bench.encryption import encrypted_against_plain
from bench.fairness import waiting_behind_others
from bench.inprocess import InProcess
from bench.lists import lists_of_a_million
from bench.load import requests_per_second
from bench.objects import objects_against_folder
from bench.ocr import pages_per_minute
from bench.pushing import concurrent_uploads, push_of_many
from bench.rates import polls_with_a_limit
from bench.service import Service, convert_all, running, upload
from bench.sharing import long_document, parted_against_whole
from bench.streams import thousand_listeners
from bench.walls import polls_with_and_without_walls
from bench.webhooks import deliveries_per_second
from docrefinery.cli.sample import sample_pdf

UPLOADS = 100
ROUNDS = 2


def _pdfs(folder: str | None, scratch: Path) -> list[Path]:
    """Return the PDFs of a folder, or copies of the sample page."""
    if folder is not None:
        found = sorted(Path(folder).rglob("*.pdf"))
        if not found:
            sys.exit(f"There are no PDFs in {folder}.")
        return found
    paths = [scratch / f"sample-{number}.pdf" for number in range(60)]
    for number, path in enumerate(paths):
        path.write_bytes(sample_pdf() + b"%% %d\n" % number)
    return paths


def _upload_p50_ms(client: httpx.Client) -> float:
    times = []
    for number in range(UPLOADS):
        pdf = sample_pdf() + b"%% upload %d\n" % number
        started = time.perf_counter()
        upload(client, pdf, f"{number}.pdf")
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def _conversions(service: Service, client: httpx.Client, paths: list[Path], workers: int) -> dict[str, float]:
    """Alternate between service and direct calls, so that a noisy machine disturbs both alike."""
    documents = [upload(client, path.read_bytes(), path.name)["id"] for path in paths]
    direct = InProcess(workers)
    try:
        direct.seconds(paths[: workers * 2])
        convert_all(client, documents[: workers * 2])
        ours, theirs, pages = [], [], 0
        for _ in range(ROUNDS):
            seconds, pages = convert_all(client, documents)
            ours.append(seconds)
            theirs.append(direct.seconds(paths))
    finally:
        direct.close()
    best = min(ours)
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    return {
        "jobs/s, fast_text": len(paths) / best,
        "pages/s, fast_text": pages / best,
        "service against direct calls (1 is as fast)": statistics.median(ratios),
    }


def main() -> None:
    """Measure and print."""
    workers = len(os.sched_getaffinity(0))
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch, running(workers) as service, service.client() as client:
        figures["seconds to the ready line, first start"] = service.start_seconds
        figures["API memory idle, MiB"] = service.api_rss_mib()
        job = upload(client, sample_pdf(), "sample.pdf", ingest=True)["job_id"]
        while client.get(f"/v1/jobs/{job}/", params={"wait": 30}).json()["status"] in ("QUEUED", "RUNNING"):
            pass
        figures["polls of a job/s, one API process"] = requests_per_second(f"{service.url}/v1/jobs/{job}/", service.key)
        figures["processor time of a poll with a limit of requests (1 is as without)"] = polls_with_a_limit(
            service, f"{service.url}/v1/jobs/{job}/"
        )
        figures["webhook deliveries/s"] = deliveries_per_second(client)
        figures["upload p50, ms"] = _upload_p50_ms(client)
        figures |= concurrent_uploads(service)
        paths = _pdfs(sys.argv[1] if len(sys.argv) > 1 else None, Path(scratch))
        long = long_document(paths, Path(scratch))
        figures |= _conversions(service, client, paths, workers)
        figures |= pages_per_minute(paths)
        figures |= encrypted_against_plain(service, client)
        figures |= objects_against_folder(service)
        figures |= waiting_behind_others(service, client)
        figures |= thousand_listeners(service, client)
        figures |= summary_of_a_million(service, client)
        figures |= lists_of_a_million(service, client)
    # An installation of its own, since its jobs would be in the way of what is measured next.
    with running(workers) as service:
        figures |= push_of_many(service)
    figures |= parted_against_whole(long, workers)
    figures |= polls_with_and_without_walls()
    table = Table("figure", "value", box=None, header_style="bold")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}" if value < 100 else f"{value:,.0f}")
    Console().print(table)
    Console().print(f"{workers} workers, {len(paths)} PDFs", highlight=False)


if __name__ == "__main__":
    main()
