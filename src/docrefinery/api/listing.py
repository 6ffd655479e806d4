"""A page of rows as the answer that every list gives."""

from collections.abc import Callable
from typing import TypeVar

from docrefinery.api import query
from docrefinery.api.deps import ApiRequest
from docrefinery.api.views import Listing
from docrefinery.store.paging import Page

R = TypeVar("R")
V = TypeVar("V")


def listing(request: ApiRequest, page: Page[R], show: Callable[[R], V]) -> Listing[V]:
    """Show a page's rows, with links to its neighbours."""
    following, previous = query.links(request, request.services.settings.public_url, page)
    return Listing(following, previous, [show(row) for row in page.items])
