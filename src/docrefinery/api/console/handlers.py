"""``/console/``: the page, its files, and who a key belongs to."""

from typing import Any

from litestar import MediaType, Request, Response, get, route
from litestar.enums import HttpMethod
from litestar.params import FromPath
from msgspec import Struct

from docrefinery.api import query
from docrefinery.api.auth import any_key
from docrefinery.api.console import headers
from docrefinery.api.console.assets import build
from docrefinery.api.deps import ApiRequest
from docrefinery.api.downloads import matches
from docrefinery.errors import NotFound
from docrefinery.services.limits import upload_limit

AnyRequest = Request[Any, Any, Any]
METHODS = [HttpMethod.GET, HttpMethod.HEAD]


class KeyView(Struct, frozen=True):
    """A key as the console has to know it: its tenant, what it may do, and the most bytes of an upload."""

    tenant: str
    name: str
    scopes: list[str]
    upload_limit_bytes: int


@route("/console", http_method=METHODS, include_in_schema=False, sync_to_thread=True)
def page(request: AnyRequest) -> Response[Any]:
    """Serve the page at ``/console/``; without the slash its relative addresses would lead elsewhere."""
    if not request.scope["state"].get("path", "/console/").endswith("/"):
        there = {**headers.SECURITY, "Location": "console/"}
        return Response(b"", status_code=308, headers=there, media_type=MediaType.HTML)
    found = build()
    return _answer(request, found.page, headers.of_page(found.page_etag), found.page_etag)


@route("/console/build/{build_id:str}/{name:path}", http_method=METHODS, include_in_schema=False, sync_to_thread=True)
def asset(request: AnyRequest, build_id: FromPath[str], name: FromPath[str]) -> Response[Any]:
    """Serve a file of this build; another build's files are not here."""
    found, name = build(), str(name).removeprefix("/")
    if build_id != found.id or name not in found.assets:
        raise NotFound("The console has no such file; reload the page if it was opened before an upgrade.")
    file = found.assets[name]
    return _answer(request, file.read(), headers.of_asset(name, file.etag, file.content_type), file.etag)


def _answer(request: AnyRequest, body: bytes, more: dict[str, str], etag: str) -> Response[Any]:
    if matches(request.headers.get("if-none-match", ""), etag):
        return Response(b"", status_code=304, headers=more)
    if request.method == HttpMethod.HEAD:
        return Response(b"", headers={**more, "Content-Length": str(len(body))}, media_type=MediaType.HTML)
    return Response(body, headers=more, media_type=MediaType.HTML)


@get("/console/key", guards=[any_key], include_in_schema=False, sync_to_thread=False)
def key(request: ApiRequest) -> Response[KeyView]:
    """Tell the console what its key may do, so that it need not try."""
    query.read(request, ())
    caller = request.user
    limit = upload_limit(request.services.settings, caller).size_bytes
    view = KeyView(caller.tenant_name, caller.key_name, sorted(caller.scopes), limit)
    return Response(view, headers={"Cache-Control": "no-store"})
