"""``/v1/dashboard/``."""

from litestar import get

from docrefinery.api import query
from docrefinery.api.auth import SECURITY, needs
from docrefinery.api.deps import ApiRequest
from docrefinery.api.listing import listing_of
from docrefinery.api.views import Listing, WorkerView
from docrefinery.model import Scope
from docrefinery.services.dashboard import Summary


@get("/v1/dashboard/summary", guards=[needs(Scope.DASHBOARD_READ)], security=SECURITY, tags=["dashboard"])
async def summary(request: ApiRequest) -> Summary:
    """Sum up the tenant's jobs, queue, times and volume."""
    query.read(request, ())
    return await request.services.dashboard.summary(request.user.tenant_id)


@get(
    "/v1/dashboard/workers",
    guards=[needs(Scope.DASHBOARD_READ)],
    security=SECURITY,
    tags=["dashboard"],
    operation_class=query.documented(query.PAGING),
)
async def list_workers(request: ApiRequest) -> Listing[WorkerView]:
    """List the installation's workers: `IDLE`, `BUSY`, or `SILENT` if one has stopped telling that it is alive."""
    workers = await request.services.dashboard.workers(request.user.tenant_id)
    return listing_of(request, [WorkerView.of(worker) for worker in workers])
