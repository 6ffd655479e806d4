"""How fast many files go to the service, and how long an upload takes among a hundred at a time."""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.service import Service
from docrefinery.cli.sample import sample_pdf
from docrefinery.client import AsyncClient, Patience

FILES = 5000
AT_A_TIME = 100
ROUNDS = 5


def push_of_many(service: Service) -> dict[str, float]:
    """Push a folder of small PDFs, each of which gets a job, and once more, when the service has them all."""
    with tempfile.TemporaryDirectory(prefix="bench-push-") as folder:
        for number in range(FILES):
            place = Path(folder, str(number // 500))
            place.mkdir(exist_ok=True)
            place.joinpath(f"{number}.pdf").write_bytes(sample_pdf() + b"%% push %d\n" % number)
        first, again = (_seconds(service, folder, sent) for sent in (FILES, 0))
    return {
        f"push of {FILES:,} files, files/s": FILES / first,
        f"push of {FILES:,} files that are there, files/s": FILES / again,
    }


def _seconds(service: Service, folder: str, sent: int) -> float:
    started = time.perf_counter()
    pushed = subprocess.run(
        [
            sys.executable,
            "-m",
            "docrefinery",
            "push",
            folder,
            "--no-wait",
            "--profile",
            "fast_text",
            "--jobs",
            "8",
            "--json",
        ],
        env=os.environ | {"DOCREFINERY_SERVER": service.url, "DOCREFINERY_API_KEY": service.key},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    found = re.search(r'"sent":(\d+),"duplicates"', pushed.stdout)
    if found is None or int(found[1]) != sent:
        raise RuntimeError(f"{found and found[1]} files were sent, and not {sent}")
    return seconds


def concurrent_uploads(service: Service) -> dict[str, float]:
    """Have a hundred uploads in flight, for some rounds."""
    times = asyncio.run(_uploads(service))
    cuts = statistics.quantiles(times, n=100)
    return {
        f"{AT_A_TIME} concurrent uploads p50, ms": cuts[49] * 1000,
        f"{AT_A_TIME} concurrent uploads p99, ms": cuts[98] * 1000,
    }


async def _uploads(service: Service) -> list[float]:
    async with AsyncClient(
        service.url, api_key=service.key, patience=Patience(unreachable=0, busy=0), connections=AT_A_TIME
    ) as client:

        async def one(number: int) -> float:
            started = time.perf_counter()
            await client.upload(sample_pdf() + b"%% concurrent %d\n" % number, ingest=False)
            return time.perf_counter() - started

        times: list[float] = []
        for round_ in range(ROUNDS):
            times += await asyncio.gather(*(one(round_ * AT_A_TIME + number) for number in range(AT_A_TIME)))
        return times
