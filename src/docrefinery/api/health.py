"""``/healthz``, ``/readyz``, ``/metrics``: for the operator's machinery."""

import asyncio
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar, cast

from litestar import MediaType, Response, get, route
from litestar.enums import HttpMethod
from prometheus_client import CONTENT_TYPE_LATEST

import docrefinery
from docrefinery.api.auth import internal
from docrefinery.api.deps import ApiRequest
from docrefinery.api.metrics import exposition
from docrefinery.api.views import HealthView
from docrefinery.services.health import Readiness

T = TypeVar("T")
PROBES = [HttpMethod.GET, HttpMethod.HEAD]


def docling_version() -> str | None:
    """Return the version of Docling that is installed, full or slim, without importing it."""
    for distribution in ("docling", "docling-slim"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return None


@route("/healthz", http_method=PROBES, guards=[internal], tags=["health"], sync_to_thread=False)
def healthz(request: ApiRequest) -> Response[HealthView]:
    """Say that the process answers; depends on nothing else."""
    return _probed(request, HealthView("ok", docrefinery.__version__, docling_version()), 200)


@route("/readyz", http_method=PROBES, guards=[internal], tags=["health"])
async def readyz(request: ApiRequest) -> Response[Readiness]:
    """Say whether the service can take documents, part by part."""
    readiness = await request.services.health.ready()
    return _probed(request, readiness, 503 if readiness.status == "failed" else 200)


def _probed(request: ApiRequest, body: T, status: int) -> Response[T]:
    """Answer a probe; load balancers like to ask with HEAD, which has no body."""
    if request.method == HttpMethod.HEAD:
        return Response(cast(T, b""), status_code=status, media_type=MediaType.JSON)
    return Response(body, status_code=status)


@get("/metrics", guards=[internal], tags=["health"], media_type=MediaType.TEXT)
async def metrics(request: ApiRequest) -> Response[bytes]:
    """Tell figures of the whole installation in Prometheus' text format."""
    told, health = request.services.metrics, request.services.health
    figures, parts, disk = await asyncio.gather(told.figures(), health.parts(), told.disk())
    return Response(exposition(figures, parts, disk), media_type=CONTENT_TYPE_LATEST)
