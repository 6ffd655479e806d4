"""``/v1/webhooks/``."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.params import FromPath
from msgspec import UNSET

from docrefinery.api import bodies, query
from docrefinery.api.auth import SECURITY, needs
from docrefinery.api.deps import ApiRequest, PathRef, idempotency_key
from docrefinery.api.listing import listing
from docrefinery.api.views import DeliveryView, Listing, WebhookPatch, WebhookRequest, WebhookView
from docrefinery.errors import NotFound, RequestError
from docrefinery.model import DeliveryStatus, Scope
from docrefinery.services.webhooks.endpoints import Change, Wanted

LOG_FILTERS = (query.choices("status", "Status of the delivery.", DeliveryStatus), *query.PAGING)


class WebhooksController(Controller):
    """Register webhook endpoints, and see what was sent to them."""

    path = "/v1/webhooks"
    tags = ("webhooks",)
    security = SECURITY

    @post("/", guards=[needs(Scope.WEBHOOKS_WRITE)], operation_class=bodies.documented(WebhookRequest))
    async def create(self, request: ApiRequest) -> Response[WebhookView]:
        """Register an endpoint for events of the tenant's jobs."""
        query.read(request, ())
        wanted = _wanted(await bodies.read(await request.body(), WebhookRequest, later=_later(request)))
        endpoint, replayed = await request.services.webhooks.create(request.user, wanted, idempotency_key(request))
        headers = {"Location": f"/v1/webhooks/{endpoint.id}/"} | _replayed(replayed)
        return Response(WebhookView.of(endpoint), status_code=201, headers=headers)

    @get("/", guards=[needs(Scope.WEBHOOKS_READ)], operation_class=query.documented(query.PAGING))
    async def list_webhooks(self, request: ApiRequest) -> Listing[WebhookView]:
        """List endpoints, newest first."""
        paging = query.page_request(query.read(request, query.PAGING))
        return listing(request, await request.services.webhooks.page(request.user, paging), WebhookView.of)

    @get("/{id:str}/", guards=[needs(Scope.WEBHOOKS_READ)])
    async def retrieve(self, request: ApiRequest, ref: PathRef) -> WebhookView:
        """Return an endpoint."""
        query.read(request, ())
        return WebhookView.of(await request.services.webhooks.get(request.user, ref))

    @patch("/{id:str}/", guards=[needs(Scope.WEBHOOKS_WRITE)], operation_class=bodies.documented(WebhookPatch))
    async def change(self, request: ApiRequest, ref: PathRef) -> WebhookView:
        """Change some fields of an endpoint; enabling it forgets its failures."""
        query.read(request, ())
        data = await bodies.read(await request.body(), WebhookPatch, later=_later(request))
        change = Change(name=data.name, url=data.url, secret=data.secret, events=data.events, enabled=data.enabled)
        return WebhookView.of(await request.services.webhooks.change(request.user, ref, change))

    @put("/{id:str}/", guards=[needs(Scope.WEBHOOKS_WRITE)], operation_class=bodies.documented(WebhookRequest))
    async def replace(self, request: ApiRequest, ref: PathRef) -> WebhookView:
        """Replace an endpoint as a whole: what is not given takes its default, and no `secret` means none."""
        query.read(request, ())
        wanted = _wanted(await bodies.read(await request.body(), WebhookRequest, later=_later(request)))
        return WebhookView.of(await request.services.webhooks.change(request.user, ref, Change.to(wanted)))

    @delete("/{id:str}/", guards=[needs(Scope.WEBHOOKS_WRITE)])
    async def remove(self, request: ApiRequest, ref: PathRef) -> None:
        """Delete an endpoint with its deliveries."""
        query.read(request, ())
        await request.services.webhooks.delete(request.user, ref)

    @post("/{id:str}/ping/", guards=[needs(Scope.WEBHOOKS_WRITE)], status_code=202)
    async def ping(self, request: ApiRequest, ref: PathRef) -> Response[DeliveryView]:
        """Send a `ping` event to an endpoint, to try it out."""
        query.read(request, ())
        delivery, replayed = await request.services.webhooks.ping(request.user, ref, idempotency_key(request))
        return Response(DeliveryView.of(delivery), status_code=202, headers=_replayed(replayed))

    @get(
        "/{id:str}/deliveries/",
        guards=[needs(Scope.WEBHOOKS_READ)],
        operation_class=query.documented(LOG_FILTERS),
    )
    async def list_deliveries(self, request: ApiRequest, ref: PathRef) -> Listing[DeliveryView]:
        """List what was sent to an endpoint or is to be, newest first; kept for 30 days."""
        values = query.read(request, LOG_FILTERS)
        paging = query.page_request(values)
        page = await request.services.webhooks.log(request.user, ref, values.get("status"), paging)
        return listing(request, page, DeliveryView.of)

    @post("/{id:str}/deliveries/{uuid:str}/redeliver/", guards=[needs(Scope.WEBHOOKS_WRITE)], status_code=202)
    async def redeliver(self, request: ApiRequest, ref: PathRef, uuid: FromPath[str]) -> DeliveryView:
        """Send a delivery again: the same body under the same `webhook-id`."""
        query.read(request, ())
        return DeliveryView.of(await request.services.webhooks.redeliver(request.user, ref, _uuid(uuid)))


def _wanted(data: WebhookRequest) -> Wanted:
    return Wanted(name=data.name, url=data.url, secret=data.secret, events=data.events, enabled=data.enabled)


def _later(request: ApiRequest) -> bodies.Later:
    """Return what looks at the URL and the secret of a body whose other fields are wrong."""

    async def find(given: dict[str, Any]) -> list[RequestError]:
        return await request.services.webhooks.problems(given.get("url", UNSET), given.get("secret", UNSET))

    return find


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"`{text[:64]}` is not the uuid of a delivery.") from None


def _replayed(replayed: bool) -> dict[str, str]:
    return {"Idempotency-Replayed": "true"} if replayed else {}
