"""What a parent bounds by looking, since no kernel counts it for a child with all that it starts."""

import asyncio
from collections.abc import Callable
from itertools import count

from docrefinery.errors import ConversionFailed
from docrefinery.pipeline.filling import written_bytes
from docrefinery.pipeline.outcomes import Rejected
from docrefinery.pipeline.postmortem import out_of_memory
from docrefinery.pipeline.process import ChildLimits, ChildProcess
from docrefinery.pipeline.session import Session

WATCH_SECONDS = 0.1
_LONG_LOOK = 10
"""Looks at the child alone, after which all of its processes and its folder are looked at."""
IDLE_SECONDS = 5.0
IDLE_CPU_SECONDS = 2.0
"""Threads of libraries turn for some milliseconds before they sleep."""


async def at_work(child: ChildProcess, limits: ChildLimits, given_bytes: int, end: Callable[[Rejected], None]) -> None:
    """End the job of a child that takes too much memory, or fills its folder.

    :param given_bytes: size of the files that the parent has put into the folder.
    """
    for look in count(1):
        if child.used_bytes() > limits.memory_bytes:
            end(out_of_memory(limits.memory_bytes))
        if look % _LONG_LOOK == 0 and (excess := await asyncio.to_thread(_excess, child, limits, given_bytes)):
            end(excess)
        await asyncio.sleep(WATCH_SECONDS)


async def at_rest(child: ChildProcess, end: Callable[[], None]) -> None:
    """End a child that computes though nothing is asked of it; no time limit does, as there is no job."""
    before = None
    while child.alive:
        # First: where one job follows the other, nobody looks through all processes of the machine between them.
        await asyncio.sleep(IDLE_SECONDS)
        now = (await asyncio.to_thread(Session.of, child.pid)).cpu_seconds
        if before is not None and now - before > IDLE_CPU_SECONDS:
            end()
        before = now


def _excess(child: ChildProcess, limits: ChildLimits, given_bytes: int) -> Rejected | None:
    session = Session.of(child.pid)
    if session.resident_bytes - child.held_bytes > limits.memory_bytes:
        return out_of_memory(limits.memory_bytes)
    most = limits.scratch_bytes + given_bytes
    written = written_bytes(child.folder, most)
    if written + session.nameless_bytes() > most:
        mebibytes = limits.scratch_bytes // 2**20
        return Rejected(
            ConversionFailed.error_code,
            f"the conversion wrote more than the {mebibytes} MiB that a converter may write; "
            "ask for fewer exports or pages, or let the operator raise DOCREFINERY_CHILD_SCRATCH_MB",
            {"scratch_bytes": limits.scratch_bytes},
        )
    return None
