"""``/v1/profiles/`` and ``/v1/exporters/``: what this installation can do."""

from collections.abc import Sequence
from typing import Any, TypeVar

from litestar import get

from docrefinery.api import query
from docrefinery.api.auth import SECURITY, any_key
from docrefinery.api.deps import ApiRequest, Services
from docrefinery.api.views import ExporterView, Listing, ProfileView
from docrefinery.store.paging import Cursor, Page, PageRequest

T = TypeVar("T")


@get(
    "/v1/profiles/",
    guards=[any_key],
    security=SECURITY,
    tags=["catalog"],
    operation_class=query.documented(query.PAGING),
)
async def list_profiles(request: ApiRequest, services: Services) -> Listing[ProfileView]:
    """List the extraction profiles that requests may name."""
    views = [
        ProfileView(
            name=profile.name,
            summary=profile.summary,
            enabled=True,
            exports=list(profile.exports),
            options=dict(profile.options),
            engine="native",
            available=True,
            missing=[],
        )
        for profile in services.registry.profiles.values()
    ]
    return _listing(request, services, views)


@get(
    "/v1/exporters/",
    guards=[any_key],
    security=SECURITY,
    tags=["catalog"],
    operation_class=query.documented(query.PAGING),
)
async def list_exporters(request: ApiRequest, services: Services) -> Listing[ExporterView]:
    """List the kinds of artifacts that `exports` may ask for."""
    views = [
        ExporterView(
            kind=exporter.kind,
            summary=exporter.summary,
            content_type=exporter.content_type,
            plugin=services.registry.provider(exporter).name,
            version=services.registry.provider(exporter).version,
        )
        for exporter in services.registry.exporters.values()
    ]
    return _listing(request, services, views)


def _listing(request: ApiRequest, services: Services, views: Sequence[T]) -> Listing[T]:
    page = _slice(views, query.page_request(query.read(request, query.PAGING)))
    following, previous = query.links(request, services.settings.public_url, page)
    return Listing(following, previous, page.items)


def _slice(views: Sequence[T], request: PageRequest) -> Page[T]:
    """Page through what is in memory; a cursor holds the index that its page begins at."""
    start = 0
    if request.cursor is not None:
        key: tuple[Any, ...] = request.cursor.key
        start = key[0] if isinstance(key[0], int) and 0 <= key[0] < len(views) else 0
    end = start + request.size
    return Page(
        items=list(views[start:end]),
        next=Cursor(back=False, key=(end,)) if end < len(views) else None,
        previous=Cursor(back=False, key=(max(start - request.size, 0),)) if start else None,
    )
