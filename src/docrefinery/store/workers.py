"""Named queries over worker processes."""

from uuid import UUID

import msgspec
from msgspec import Struct

from docrefinery.capabilities import Measure, Models, Ocr
from docrefinery.model import MODEL, MODELS, OCR, QUEUE
from docrefinery.store.database import Database

_SEEN_AGAIN_SECONDS = 5


class Beat(Struct, frozen=True, kw_only=True):
    """What a worker says of itself.

    ``rss_bytes`` covers its converter as well. ``models`` are what the converter holds, ``jail`` what it is kept apart
    by, and ``profiles`` those whose jobs the worker takes.
    """

    id: UUID
    hostname: str
    pid: int
    status: str
    queues: list[str]
    current_job_id: int | None
    jobs_done: int
    rss_bytes: int
    version: str
    ocr: Ocr | None
    models: Models | None = None
    profiles: list[str] = []
    jail: tuple[Measure, ...] = ()


class Able(Struct, frozen=True):
    """What a worker can do beyond reading text."""

    ocr: Ocr | None
    models: Models | None


async def beat(db: Database, worker: Beat) -> None:
    """Note that a worker is alive."""
    await db.fetch(
        """INSERT INTO workers (id, hostname, pid, status, queues, current_job_id, jobs_done, rss_bytes, version,
                                ocr, models, profiles, jail)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           ON CONFLICT (id) DO UPDATE SET status = excluded.status, queues = excluded.queues,
               current_job_id = excluded.current_job_id, jobs_done = excluded.jobs_done,
               rss_bytes = excluded.rss_bytes, models = excluded.models, profiles = excluded.profiles,
               jail = excluded.jail, last_heartbeat_at = now()""",
        worker.id,
        worker.hostname,
        worker.pid,
        worker.status,
        worker.queues,
        worker.current_job_id,
        worker.jobs_done,
        worker.rss_bytes,
        worker.version,
        msgspec.json.encode(worker.ocr).decode(),
        msgspec.json.encode(worker.models).decode(),
        worker.profiles,
        msgspec.json.encode(worker.jail).decode(),
    )
    if worker.models is not None and worker.models.usable:
        await db.fetch(
            """INSERT INTO models_seen (seen_at) VALUES (now())
               ON CONFLICT (singleton) DO UPDATE SET seen_at = excluded.seen_at
               WHERE models_seen.seen_at < now() - make_interval(secs => $1)""",
            _SEEN_AGAIN_SECONDS,
        )


async def models_seen(db: Database, seconds: float) -> bool:
    """Return whether a worker that holds or loads Docling's models has been heard of lately, be it gone by now."""
    return bool(await db.fetch("SELECT FROM models_seen WHERE seen_at >= now() - make_interval(secs => $1)", seconds))


async def remove(db: Database, worker_id: UUID) -> None:
    """Forget a worker that stopped."""
    await db.fetch("DELETE FROM workers WHERE id = $1", worker_id)


async def remove_silent(db: Database, seconds: float) -> None:
    """Forget workers that have not been heard of for so long."""
    await db.fetch("DELETE FROM workers WHERE last_heartbeat_at < now() - make_interval(secs => $1)", seconds)


async def queues(db: Database, seconds: float) -> list[str]:
    """Return the queues that workers take that have been heard of lately."""
    rows = await db.fetch(
        """SELECT DISTINCT queue FROM workers CROSS JOIN unnest(queues) taken (queue)
           WHERE last_heartbeat_at >= now() - make_interval(secs => $1) ORDER BY queue""",
        seconds,
    )
    return [row["queue"] for row in rows]


async def able(db: Database, seconds: float) -> list[Able]:
    """Return what the workers can do that have been heard of lately, each kind once.

    Those are left out that take no jobs whose pages may have to be recognised.
    """
    rows = await db.fetch(
        """SELECT DISTINCT ocr, models FROM workers
           WHERE last_heartbeat_at >= now() - make_interval(secs => $1) AND queues && $2::text[]
           ORDER BY ocr, models""",
        seconds,
        [OCR, MODEL, QUEUE, MODELS],
    )
    return [
        Able(
            ocr=msgspec.json.decode(row["ocr"], type=Ocr | None),
            models=msgspec.json.decode(row["models"], type=Models | None),
        )
        for row in rows
    ]


async def jails(db: Database, seconds: float) -> list[tuple[Measure, ...]]:
    """Return what converters are kept apart by whose workers have been heard of lately, each kind once.

    Workers whose converter has not started yet, and those of the version before, say nothing and are left out.
    """
    rows = await db.fetch(
        """SELECT DISTINCT jail FROM workers
           WHERE last_heartbeat_at >= now() - make_interval(secs => $1) AND jail <> '[]' ORDER BY jail""",
        seconds,
    )
    return [msgspec.json.decode(row["jail"], type=tuple[Measure, ...]) for row in rows]


async def alive(db: Database, seconds: float) -> int:
    """Return how many workers have been heard of lately."""
    row = await db.fetch_one(
        "SELECT count(*) AS n FROM workers WHERE last_heartbeat_at >= now() - make_interval(secs => $1)", seconds
    )
    assert row is not None
    return int(row["n"])
