"""What handlers are given besides their request: the services, and the object that a path names."""

from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation
from msgspec import Struct

from docrefinery.errors import InvalidRequest, NotFound
from docrefinery.plugin.registry import Registry
from docrefinery.services.abilities import Abilities
from docrefinery.services.artifacts import Artifacts
from docrefinery.services.dashboard import Dashboard
from docrefinery.services.documents import Documents
from docrefinery.services.health import Health
from docrefinery.services.jobs import Jobs
from docrefinery.services.keys import Authenticator, Caller
from docrefinery.services.metrics import Metrics
from docrefinery.services.rates import Rates
from docrefinery.services.reception import Reception
from docrefinery.services.submissions import Origin, Submissions
from docrefinery.services.trail import Trail
from docrefinery.services.webhooks.endpoints import Webhooks
from docrefinery.settings import Settings
from docrefinery.store.records import NO_NUMBER, Ref, ref_of


class Services(Struct, frozen=True, kw_only=True):
    """Everything that the handlers call; made by the composition root."""

    settings: Settings
    registry: Registry
    authenticator: Authenticator
    abilities: Abilities
    reception: Reception
    submissions: Submissions
    documents: Documents
    jobs: Jobs
    artifacts: Artifacts
    webhooks: Webhooks
    health: Health
    dashboard: Dashboard
    metrics: Metrics
    trail: Trail
    rates: Rates


class ApiRequest(Request[Caller, Any, State]):
    """A request that knows the services; as an injected argument they would cost a task group at every request."""

    @property
    def services(self) -> Services:
        """What the handlers call."""
        services: Services = self.app.state.services
        return services


PathRef = NamedDependency[SkipValidation[Ref]]
"""The object that a path's ``{id}`` names; made by :func:`provide_ref`, so it need not be validated again."""


def provide_ref(id: FromPath[str]) -> Ref:  # noqa: A002 - the path says {id}, as the guide does
    """Read a path's ``{id}``: a number or a uuid; anything else names nothing."""
    try:
        ref = ref_of(id)
    except ValueError:
        raise NotFound(f"`{id[:64]}` is neither a number nor a uuid.") from None
    if ref == NO_NUMBER:
        raise NotFound(f"There is nothing with the number {id[:64]}.")
    return ref


DEPENDENCIES = {"ref": Provide(provide_ref, sync_to_thread=False)}


def origin(request: ApiRequest) -> Origin:
    """Return where a request came from, for the worker's log lines."""
    state = request.scope["state"]
    return Origin(request_id=state["request_id"], traceparent=state["traceparent"])


def idempotency_key(request: ApiRequest) -> str | None:
    """Return the request's ``Idempotency-Key``.

    :raises InvalidRequest: if it is empty, too long or not printable ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise InvalidRequest("`Idempotency-Key` must be 1 to 255 printable ASCII characters.")
    return key
