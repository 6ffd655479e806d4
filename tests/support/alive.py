"""Workers that say that they are alive, without being there."""

from typing import Any
from uuid import UUID, uuid4

from docrefinery.capabilities import Models
from docrefinery.store import workers
from docrefinery.store.database import Database

HELD = {"layout": "docling-layout-heron@main", "tables": "docling-models@v2.3.0"}
HOLDS = Models(HELD, "cpu", 900_000_000)
LOADING = Models(HELD, loading=True)


async def say_alive(db: Database, worker_id: UUID | None = None, **said: Any) -> UUID:
    """Write a heartbeat and return whose it is; ``said`` is what differs from an idle worker without abilities."""
    usual: dict[str, Any] = {
        "hostname": "h", "pid": 7, "status": "IDLE", "queues": ["convert"], "current_job_id": None, "jobs_done": 3,
        "rss_bytes": 1234, "version": "0.1", "ocr": None,
    }  # fmt: skip
    beat = workers.Beat(id=worker_id or uuid4(), **(usual | said))
    await workers.beat(db, beat)
    return beat.id


async def fall_silent(db: Database, seconds: float = 11) -> None:
    """Make it so long that any worker was heard of; leases last 10 s."""
    await db.fetch("UPDATE workers SET last_heartbeat_at = now() - make_interval(secs => $1)", seconds)
