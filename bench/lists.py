"""How fast lists answer a tenant with a million jobs: every filter, what is made of them, first pages and deep ones."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.dashboard import filled
from bench.service import Service, of_tenant
from docrefinery.embedded import locate

REQUESTS = 100
DEEP_PAGES = 40
WORST_MS = 20
"""What no list may take longer than, 99 times in 100."""
# Two artifacts for each of many jobs, and a log of a webhook in which failures are rare; another tenant has little.
FILL = """
ALTER TABLE artifacts DISABLE TRIGGER USER;
ALTER TABLE webhook_deliveries DISABLE TRIGGER USER;
INSERT INTO artifacts (tenant_id, job_id, document_id, kind, filename, content_type, size_bytes, sha256, blob_key)
SELECT tenant_id, id, document_id, kind, 'bench', 'text/plain', 1000, repeat('0', 64), 'bench/' || id || kind
FROM jobs CROSS JOIN unnest(ARRAY['markdown', CASE WHEN id % 5000 = 0 THEN 'rare' ELSE 'text' END]) kind
WHERE queue = 'bench' AND status = 'SUCCEEDED' AND id % 4 = 0 ORDER BY id;
INSERT INTO webhook_endpoints (tenant_id, name, url, events, enabled)
SELECT id, 'bench-lists', 'https://example.com/', ARRAY['job.updated'], false FROM tenants WHERE name = 'default';
INSERT INTO webhook_deliveries (tenant_id, endpoint_id, event, body, ordered, status, attempts, next_attempt_at,
                                delivered_at)
SELECT tenant_id, id, 'ping', '{}', false, CASE WHEN n % 50000 = 7 THEN 'FAILED' ELSE 'DELIVERED' END, 1, NULL,
       CASE WHEN n % 50000 <> 7 THEN now() END
FROM webhook_endpoints, generate_series(1, 300000) n WHERE name = 'bench-lists';
INSERT INTO documents (uuid, tenant_id, original_filename, sha256, size_bytes, blob_key, status)
SELECT gen_random_uuid(), id, 'small.pdf', encode(sha256(n::text::bytea), 'hex'), 1000, 'small/' || n, 'READY'
FROM tenants, generate_series(1, 100) n WHERE name = 'bench-small';
INSERT INTO jobs (tenant_id, document_id, queue) SELECT tenant_id, id, 'bench' FROM documents
WHERE original_filename = 'small.pdf';
ALTER TABLE artifacts ENABLE TRIGGER USER;
ALTER TABLE webhook_deliveries ENABLE TRIGGER USER;
"""
Params = dict[str, str]


async def _fill(url: str) -> dict[str, Any]:
    async with filled(url, FILL) as owner:
        some = await owner.fetchrow(
            """SELECT document_id, id AS job_id, external_uuid::text,
                      (SELECT sha256 FROM documents d WHERE d.id = document_id) AS sha256,
                      (SELECT external_uuid::text FROM documents
                       WHERE external_uuid IS NOT NULL LIMIT 1) AS document_external,
                      (SELECT id FROM webhook_endpoints WHERE name = 'bench-lists') AS endpoint
               FROM jobs WHERE external_uuid IS NOT NULL AND queue = 'bench' LIMIT 1"""
        )
        assert some is not None
        return dict(some)


def _lists(some: dict[str, Any]) -> Iterator[tuple[str, Params]]:
    """Yield every list that is measured."""
    ago = {hours: (datetime.now(UTC) - timedelta(hours=hours)).isoformat() for hours in (1, 24, 25, 30, 31, 34, 40, 47)}
    document, external = str(some["document_id"]), some["external_uuid"]
    narrowed: list[Params] = [
        {},
        *({"status": status} for status in ("SUCCEEDED", "QUEUED", "QUARANTINED", "RUNNING", "FAILED,QUARANTINED")),
        *({"stage": stage} for stage in ("FINALIZING", "SCANNING", "CHUNKING")),
        *({"profile": profile} for profile in ("fast_text", "full_vlm", "fast_text,structured")),
        {"status": "FAILED", "profile": "structured"},
        {"status": "QUARANTINED", "profile": "structured", "stage": "SCANNING"},
        {"status": "SUCCEEDED", "profile": "full_vlm"},
        {"created_before": ago[40]},
        {"created_after": ago[24]},
        {"created_after": ago[47], "created_before": ago[40]},
        {"created_before": ago[40], "status": "QUARANTINED"},
        {"created_before": ago[47], "status": "FAILED,CANCELED", "profile": "fast_text"},
        {"updated_after": ago[47]},
        {"updated_after": ago[1]},
        {"updated_after": ago[47], "status": "QUARANTINED"},
        {"updated_after": ago[40], "status": "FAILED", "profile": "structured"},
        {"updated_after": ago[47], "created_before": ago[40]},
        {"updated_after": ago[24], "created_before": ago[24]},
        {"updated_after": ago[24], "created_before": ago[24], "status": "SUCCEEDED"},
        {"updated_after": ago[24], "created_before": ago[40], "status": "FAILED", "profile": "structured"},
        {"updated_after": ago[24], "created_before": ago[30], "status": "SUCCEEDED"},
        {"updated_after": ago[25], "created_before": ago[31]},
        {"updated_after": ago[24], "created_after": ago[34], "created_before": ago[30]},
        {"updated_after": ago[47], "created_after": ago[1]},
        {"updated_after": ago[47], "created_after": ago[40], "created_before": ago[24]},
        {"document_id": document},
        {"document_id": document, "status": "QUARANTINED"},
        {"document_id": document, "updated_after": ago[47]},
        {"external_uuid": external},
        {"external_uuid": external, "status": "SUCCEEDED"},
        {"external_uuid": "00000000-0000-4000-8000-000000000000"},
    ]
    yield from (("/v1/jobs/", params) for params in narrowed)
    yield from (
        ("/v1/documents/", params)
        for params in (
            {}, {"status": "READY"}, {"status": "QUARANTINED"}, {"status": "FAILED,UPLOADED"},
            {"sha256": some["sha256"]}, {"external_uuid": some["document_external"]}, {"created_before": ago[40]},
            {"created_after": ago[47], "created_before": ago[40], "status": "QUARANTINED"},
        )
    )  # fmt: skip
    yield from (
        ("/v1/artifacts/", params)
        for params in (
            {}, {"kind": "markdown"}, {"kind": "rare"}, {"kind": "rare,none"}, {"document_id": document},
            {"job_id": str(some["job_id"])}, {"document_id": document, "kind": "rare"},
        )
    )  # fmt: skip
    log = f"/v1/webhooks/{some['endpoint']}/deliveries/"
    yield from ((log, params) for params in ({}, {"status": "FAILED"}, {"status": "PENDING"}))


def _timed(client: httpx.Client, url: str, params: Params | None = None) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    answer = client.get(url, params=params)
    ms = (time.perf_counter() - started) * 1000
    page: dict[str, Any] = answer.raise_for_status().json()
    return ms, page


class Times(Struct, frozen=True):
    """Milliseconds of a page that was asked for many times."""

    p50: float
    p99: float

    @classmethod
    def of(cls, times: list[float]) -> "Times":
        """Sum up."""
        return cls(statistics.median(times), statistics.quantiles(times, n=100)[98])

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p99:.1f}"


def _measured(client: httpx.Client, url: str, params: Params) -> tuple[Times, Times | None]:
    """Measure the first page, and one that lies deep if there is such."""
    first = [_timed(client, url, params)[0] for _ in range(REQUESTS)]
    _, page = _timed(client, url, {**params, "page_size": "200"})
    for _ in range(DEEP_PAGES):
        if page["next"] is None:
            return Times.of(first), None
        _, page = _timed(client, page["next"])
    if page["next"] is None:
        return Times.of(first), None
    deep = page["next"].replace("page_size=200", "page_size=50")
    return Times.of(first), Times.of([_timed(client, deep)[0] for _ in range(REQUESTS)])


def lists_of_a_million(service: Service, client: httpx.Client) -> dict[str, float]:
    """Measure every list; the database has been filled for the summary."""
    running = locate(service.data_dir)
    if running is None:
        raise RuntimeError("the service's database is not there")
    small = of_tenant(service, "bench-small")
    some = asyncio.run(_fill(running.migration_database_url))
    table = Table("list", "first page, p50 / p99 ms", "deep page, p50 / p99 ms", box=None, header_style="bold")
    firsts, deeps = [], []
    with small.client() as stranger:
        asked = [(client, "", url, params) for url, params in _lists(some)]
        asked += [
            (stranger, "small tenant: ", "/v1/jobs/", params)
            for params in ({}, {"status": "QUEUED"}, {"status": "FAILED"}, {"created_before": "2020-01-01"})
        ]
        for who, name, url, params in asked:
            first, deep = _measured(who, url, params)
            firsts.append(first)
            deeps.extend([] if deep is None else [deep])
            shown = "&".join(f"{key}={value}" for key, value in params.items())
            table.add_row(f"{name}{url}?{shown}", str(first), "" if deep is None else str(deep))
    Console(width=160).print(table)
    name = f"slowest of {len(firsts)} lists of a million jobs, "
    return {
        f"{name}first page p50, ms": max(times.p50 for times in firsts),
        f"{name}first page p99, ms (below {WORST_MS})": max(times.p99 for times in firsts),
        f"{name}deep page p50, ms": max(times.p50 for times in deeps),
        f"{name}deep page p99, ms (below {WORST_MS})": max(times.p99 for times in deeps),
    }
