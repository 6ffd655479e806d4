"""What encryption at rest takes from uploads and downloads."""

import os
import statistics
import time

import httpx

from bench.service import Service, of_tenant, upload

SIZE = 32 * 2**20
ROUNDS = 12


def seconds(client: httpx.Client) -> tuple[float, float]:
    """Return how long a file took up, and down again."""
    pdf = b"%PDF-1.7\n" + os.urandom(SIZE)
    started = time.perf_counter()
    document = upload(client, pdf, "large.pdf")["id"]
    up = time.perf_counter() - started
    started = time.perf_counter()
    with client.stream("GET", f"/v1/documents/{document}/file/") as answer:
        received = sum(map(len, answer.iter_raw()))
    down = time.perf_counter() - started
    if received != len(pdf):
        raise RuntimeError("the download is not whole")
    client.delete(f"/v1/documents/{document}/").raise_for_status()
    return up, down


def encrypted_against_plain(service: Service, plain: httpx.Client) -> dict[str, float]:
    """Alternate between an encrypted tenant and another, so that a noisy machine disturbs both alike."""
    with of_tenant(service, "sealed", "--encrypt").client() as sealed:
        seconds(sealed)
        seconds(plain)
        rounds = [(seconds(plain), seconds(sealed)) for _ in range(ROUNDS)]
    figures = {}
    for name, place in (("upload", 0), ("download", 1)):
        ratios = [theirs[place] / ours[place] for theirs, ours in rounds]
        fastest = min(ours[place] for _, ours in rounds)
        figures[f"{name} of 32 MiB, encrypted against plain (1 is as fast)"] = statistics.median(ratios)
        figures[f"{name} of 32 MiB, encrypted, MiB/s"] = SIZE / 2**20 / fastest
    return figures
