"""``/v1/profiles/`` and ``/v1/exporters/``: what this installation can do."""

from collections.abc import Sequence
from typing import TypeVar

from litestar import get

from docrefinery.api import query
from docrefinery.api.auth import SECURITY, any_key
from docrefinery.api.deps import ApiRequest
from docrefinery.api.listing import listing
from docrefinery.api.views import ExporterView, Listing, ProfileView
from docrefinery.errors import InvalidFilter
from docrefinery.model import ENGINE
from docrefinery.store.paging import Cursor, Page, PageRequest

T = TypeVar("T")


@get(
    "/v1/profiles/",
    guards=[any_key],
    security=SECURITY,
    tags=["catalog"],
    operation_class=query.documented(query.PAGING),
)
async def list_profiles(request: ApiRequest) -> Listing[ProfileView]:
    """List the extraction profiles that requests may name."""
    views = [
        ProfileView(
            name=profile.name,
            summary=profile.summary,
            enabled=profile.name not in request.user.defaults.disabled_profiles,
            exports=list(profile.exports),
            options=dict(profile.options),
            engine=ENGINE,
            available=True,
            missing=[],
        )
        for profile in request.services.registry.profiles.values()
    ]
    return _listing(request, views)


@get(
    "/v1/exporters/",
    guards=[any_key],
    security=SECURITY,
    tags=["catalog"],
    operation_class=query.documented(query.PAGING),
)
async def list_exporters(request: ApiRequest) -> Listing[ExporterView]:
    """List the kinds of artifacts that `exports` may ask for."""
    views = [
        ExporterView(
            kind=exporter.kind,
            summary=exporter.summary,
            content_type=exporter.content_type,
            plugin=request.services.registry.provider(exporter).name,
            version=request.services.registry.provider(exporter).version,
        )
        for exporter in request.services.registry.exporters.values()
    ]
    return _listing(request, views)


def _listing(request: ApiRequest, views: Sequence[T]) -> Listing[T]:
    page = _slice(views, query.page_request(query.read(request, query.PAGING)))
    return listing(request, page, lambda view: view)


def _slice(views: Sequence[T], request: PageRequest) -> Page[T]:
    """Page through what is in memory; a cursor holds the index that its page begins at, or ends before."""
    start = 0
    if (cursor := request.cursor) is not None:
        match cursor.key:
            case (int(index),) if index <= len(views):
                start = max(index - request.size, 0) if cursor.back else index
            case _:
                raise InvalidFilter("`cursor` belongs to another list; start without it.")
    end = min(start + request.size, len(views))
    return Page(
        items=list(views[start:end]),
        next=Cursor(back=False, key=(end,)) if end < len(views) else None,
        previous=Cursor(back=True, key=(start,)) if start else None,
    )
