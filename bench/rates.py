"""What a limit of requests costs a tenant that does not reach it."""

import statistics

from bench.load import requests_per_second
from bench.service import Service, said

ROUNDS = 5
SECONDS = 2
OUT_OF_REACH = 1_000_000


def _cpu_of_a_poll(service: Service, url: str) -> float:
    """Return seconds of the API's processor time; unlike a rate, it does not tell of what else the machine does."""
    api = next(child for child in service.process.children() if "api" in child.cmdline())
    before = api.cpu_times()
    polls = requests_per_second(url, service.key, SECONDS) * SECONDS
    after = api.cpu_times()
    return float(after.user + after.system - before.user - before.system) / polls


def polls_with_a_limit(service: Service, url: str) -> float:
    """Return what polls cost with a limit, divided by what they cost without one."""
    ratios = []
    for _ in range(ROUNDS):
        costs = []
        for limit in (0, OUT_OF_REACH):
            said(service, "tenant", "set", "default", "--requests-per-minute", str(limit))
            # The first ones load what is needed.
            requests_per_second(url, service.key, 0.2)
            costs.append(_cpu_of_a_poll(service, url))
        ratios.append(costs[1] / costs[0])
    said(service, "tenant", "set", "default", "--requests-per-minute", "0")
    return statistics.median(ratios)
