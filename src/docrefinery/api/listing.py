"""A page of rows as the answer that every list gives."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from docrefinery.api import query
from docrefinery.api.deps import ApiRequest
from docrefinery.api.views import Listing
from docrefinery.store.paging import Cursor, Page, PageRequest

R = TypeVar("R")
V = TypeVar("V")


def listing(request: ApiRequest, page: Page[R], show: Callable[[R], V]) -> Listing[V]:
    """Show a page's rows, with links to its neighbours."""
    following, previous = query.links(request, request.services.settings.public_url, page)
    return Listing(following, previous, [show(row) for row in page.items])


def listing_of(request: ApiRequest, views: Sequence[V]) -> Listing[V]:
    """Show a page of what is all in memory."""
    page = _slice(views, query.page_request(query.read(request, query.PAGING)), request.url.path.strip("/"))
    return listing(request, page, lambda view: view)


def _slice(views: Sequence[V], request: PageRequest, name: str) -> Page[V]:
    """Page through what is in memory; a cursor holds the index that its page begins at, or ends before."""
    start = 0
    if (cursor := request.cursor) is not None:
        cursor.require(name, [int])
        [index] = cursor.key
        assert isinstance(index, int)
        start = max(index - request.size, 0) if cursor.back else index
    end = min(start + request.size, len(views))
    return Page(
        items=list(views[start:end]),
        next=Cursor(False, (end,), name) if end < len(views) else None,
        previous=Cursor(True, (start,), name) if start else None,
    )
