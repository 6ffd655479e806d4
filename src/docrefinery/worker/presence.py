"""What a worker says of itself, again and again."""

import asyncio
import os
import socket

import psutil
import structlog

import docrefinery
from docrefinery.model import JOB_QUEUES
from docrefinery.store import workers
from docrefinery.store.database import UNREACHABLE
from docrefinery.worker.parts import Parts

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0


async def say_alive(parts: Parts) -> None:
    """Write heartbeats for ever."""
    process = psutil.Process()
    while True:
        try:
            await workers.beat(parts.db, _beat(parts, process))
            await parts.tally.tell()
        except Exception as error:
            log.warning("worker_heartbeat_failed", error=str(error), exc_info=not isinstance(error, UNREACHABLE))
        await asyncio.sleep(HEARTBEAT_SECONDS)


def _beat(parts: Parts, process: psutil.Process) -> workers.Beat:
    job_id, models = parts.runner.job_id, parts.converter.models
    return workers.Beat(
        id=parts.worker_id,
        hostname=socket.gethostname(),
        pid=os.getpid(),
        status="IDLE" if job_id is None else "BUSY",
        # Without the names of the version before, which say nothing to anybody else.
        queues=[cost for cost in parts.classes if cost in parts.runner.queues or cost not in JOB_QUEUES],
        current_job_id=job_id,
        jobs_done=parts.runner.jobs_done,
        rss_bytes=process.memory_info().rss + parts.converter.rss_bytes,
        version=docrefinery.__version__,
        ocr=parts.ocr,
        models=models,
        jail=parts.converter.jail,
        profiles=parts.profiles(models),
    )
