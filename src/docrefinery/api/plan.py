"""``/v1/plan/``: what a request for a job comes to, without starting one."""

from litestar import post

from docrefinery.api import asking, bodies
from docrefinery.api.auth import SECURITY, needs
from docrefinery.api.deps import ApiRequest
from docrefinery.api.views import PlanRequest, PlanView
from docrefinery.model import Scope
from docrefinery.services.planning import Wanted


@post(
    "/v1/plan/",
    guards=[needs(Scope.DOCUMENTS_WRITE)],
    security=SECURITY,
    tags=["jobs"],
    status_code=200,
    operation_class=bodies.documented(PlanRequest),
)
async def plan(request: ApiRequest) -> PlanView:
    """Return the profile, options and exports that a job would have, and start none."""
    data = await bodies.read(await request.body(), PlanRequest, later=asking.later(request))
    asked = await asking.decoded(request, data.profile, data.options_json)
    wanted = Wanted(ingest=True, profile=data.profile or None, options=asked)
    effective = await request.services.submissions.plan(request.user, wanted)
    return PlanView(
        profile=effective.profile,
        options=effective.options,
        exports=effective.exports,
        ignored_options=effective.ignored,
    )
