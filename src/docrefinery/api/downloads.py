"""Bytes of a stored file: conditional requests, ranges (RFC 9110 §13, §14), and who else may send them."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

import structlog
from litestar import Response
from litestar.response import Stream
from msgspec import Struct

from docrefinery.api.deps import ApiRequest
from docrefinery.errors import BrokenOff, RangeNotSatisfiable, StorageError
from docrefinery.services.audit import Action
from docrefinery.store.encryption.errors import Undecryptable
from docrefinery.store.encryption.vault import Stored
from docrefinery.store.presentation import presentation

log = structlog.get_logger(__name__)

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE | re.ASCII)


class Files(Protocol):
    """Where the bytes are."""

    def stream(self, blob: Stored, start: int, end: int | None) -> AsyncIterator[bytes]:
        """Yield them from ``start`` to ``end`` (exclusive)."""

    async def presigned(self, blob: Stored, headers: Mapping[str, str], seconds: int) -> str | None:
        """Return a URL that sends them with these headers, if there is one."""


class Download(Struct, frozen=True, kw_only=True):
    """A stored file as a client sees it.

    ``sha256`` is its strong validator; ``action`` and ``object`` are what the audit log says of a download.
    """

    blob: Stored
    filename: str
    content_type: str
    sha256: str
    action: Action
    object: str

    @property
    def size_bytes(self) -> int:
        """Bytes of the file."""
        return self.blob.size_bytes

    @property
    def etag(self) -> str:
        """The strong entity tag."""
        return f'"{self.sha256}"'

    @property
    def headers(self) -> dict[str, str]:
        """What every answer about the file carries."""
        return {
            # With the type as a header, since the framework would add a second charset to a text type.
            **presentation(self.filename, self.content_type),
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private",
        }


async def serve(request: ApiRequest, download: Download, files: Files) -> Response[Any]:
    """Answer with the file, a part of it, or the news that the client has it; note who fetched it.

    :raises RangeNotSatisfiable: if the range lies outside the file.
    :raises StorageError: if the bytes cannot be read.
    """
    headers, x_accel_prefix = download.headers, request.services.settings.x_accel_prefix
    if matches(request.headers.get("if-none-match", ""), download.etag):
        return Response(b"", status_code=304, headers=headers)
    if_range = request.headers.get("if-range")
    # nginx judges If-Range by a validator of its own, and has no keys: such requests are answered here.
    if x_accel_prefix and if_range is None and download.blob.data_key is None:
        # nginx says it too, and a client would see it twice.
        del headers["Accept-Ranges"]
        headers["X-Accel-Redirect"] = quote(x_accel_prefix + download.blob.blob_key)
        _note(request, download, request.headers.get("range"))
        return Response(b"", headers=headers)
    if url := await _elsewhere(request, download, files):
        _note(request, download, request.headers.get("range"))
        # A text, for an answer without a body has to have some type.
        return Response(
            b"", status_code=307, media_type="text/plain", headers={"Location": url, "Cache-Control": "no-store"}
        )
    # Ranges are defined for GET alone (RFC 9110 §14.2).
    asked = request.method == "GET" and if_range in (None, download.etag)
    part = _range(request.headers.get("range", ""), download.size_bytes) if asked else None
    start, end = part or (0, download.size_bytes)
    headers["Content-Length"] = str(end - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size_bytes}"
    status = 206 if part else 200
    if request.method == "HEAD" or start == end:
        return Response(b"", status_code=status, headers=headers)
    body = files.stream(download.blob, start, end if part else None)
    first = await anext(body)
    _note(request, download, headers.get("Content-Range"))
    return Stream(_begun(first, body), status_code=status, headers=headers)


async def _elsewhere(request: ApiRequest, download: Download, files: Files) -> str | None:
    """Return the storage's own URL for a download, if it may be had there.

    Not for a script in a browser: it would need the bucket's leave (CORS) and the page's (CSP). Browsers tell of
    scripts on HTTPS alone, so the console says it itself. Nor with ``If-Range``: the storage's tags are not ours.
    """
    seconds = request.services.settings.presigned_downloads
    scripted = request.headers.get("sec-fetch-mode") not in (None, "navigate") or "x-requested-with" in request.headers
    if not seconds or request.method != "GET" or scripted or "if-range" in request.headers:
        return None
    return await files.presigned(download.blob, presentation(download.filename, download.content_type), seconds)


def _note(request: ApiRequest, download: Download, part: str | None) -> None:
    if request.method == "GET":
        request.services.trail.downloaded(download.action, download.object, **({"range": part[:64]} if part else {}))


async def _begun(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what was read before the answer began: a file that cannot be read is an error, not a broken answer."""
    yield first
    try:
        async for chunk in rest:
            yield chunk
    except StorageError as error:
        if not (isinstance(error, Undecryptable) and error.told):
            log.error("download_broke_off", error=str(error))  # noqa: TRY400 - the message has it all
        raise BrokenOff from error


def matches(if_none_match: str, etag: str) -> bool:
    """Return whether an ``If-None-Match`` names a tag, by the weak comparison (RFC 9110 §13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag.removeprefix("W/") in tags or "*" in tags


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Return start and end (exclusive) of one byte range; ``None`` is everything: no range, several, another unit."""
    match = _RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return None
    if match[1] and match[2] and int(match[2]) < int(match[1]):
        return None
    if match[1]:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    else:
        start, end = max(size - int(match[2]), 0), size
    if start >= end:
        raise RangeNotSatisfiable(f"The file has {size} bytes.", details={"size_bytes": size})
    return start, end
