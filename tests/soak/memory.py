"""Whether a worker and its converter grow: many small jobs through one of each."""

import time
from pathlib import Path

from tests.support.pdfs import born_digital
from tests.support.processes import wait_until
from tests.support.refinery import Refinery, fresh

AT_ONCE = 20
GROWTH = 1.10
"""The most that memory at the end may be of that after the first jobs."""


def resident(own: Refinery) -> tuple[int, int]:
    """Return the resident bytes of the worker and of its converter."""
    (worker,), (converter,) = own.workers, own.converters
    return worker.memory_info().rss, converter.memory_info().rss


def grown(home: Path, first: int, jobs: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what one worker and its converter need after the ``first`` jobs and after all of them."""
    own = Refinery(
        home, workers=1, settings={"DOCREFINERY_CHILD_MAX_JOBS": str(jobs + 1), "DOCREFINERY_LOG_LEVEL": "error"}
    )
    try:
        own.start()
        pid = _work(own, first)
        before = resident(own)
        assert _work(own, jobs - first) == pid, "the converter was replaced meanwhile"
        return before, resident(own)
    finally:
        own.close()


def _work(own: Refinery, jobs: int) -> int:
    """Have so many jobs done, some at a time; returns the converter's process id."""
    for done in range(0, jobs, AT_ONCE):
        last = [own.client.submit(fresh(born_digital(2)))["job_id"] for _ in range(min(AT_ONCE, jobs - done))]
        for job_id in last:
            assert own.client.finished(job_id)["status"] == "SUCCEEDED"
    wait_until(lambda: len(own.converters) == 1, 20)
    return own.converters[0].pid


def run(home: Path, jobs: int) -> int:
    """Print what became of it; returns the exit code."""
    started = time.monotonic()
    before, after = grown(home, 100, jobs)
    for what, one, other in zip(("worker", "converter"), before, after, strict=True):
        print(
            f"{what:9} {one / 2**20:7.1f} MiB after 100 jobs, {other / 2**20:7.1f} MiB after {jobs}: {other / one:.3f}"
        )
    print(f"{jobs} jobs in {time.monotonic() - started:.0f} s")
    return 0 if all(other <= one * GROWTH for one, other in zip(before, after, strict=True)) else 1
