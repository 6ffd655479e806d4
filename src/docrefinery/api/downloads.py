"""Bytes of a stored file: conditional requests, ranges (RFC 9110 §13, §14), and nginx's X-Accel-Redirect."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Stream
from msgspec import Struct

from docrefinery.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")
Open = Callable[[str, int, int | None], AsyncIterator[bytes]]


class Download(Struct, frozen=True, kw_only=True):
    """A stored file as a client sees it; ``sha256`` is its strong validator."""

    blob_key: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str

    @property
    def etag(self) -> str:
        """The strong entity tag."""
        return f'"{self.sha256}"'

    @property
    def headers(self) -> dict[str, str]:
        """What every answer about the file carries."""
        quoted = quote(self.filename, safe="")
        plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", self.filename)
        return {
            # As a header, since the framework would add a second charset to a text type.
            "Content-Type": self.content_type,
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quoted}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private",
        }


def serve(request: Request[Any, Any, Any], download: Download, open_blob: Open, x_accel_prefix: str) -> Response[Any]:
    """Answer with the file, a part of it, or the news that the client has it.

    :raises RangeNotSatisfiable: if the range lies outside the file.
    """
    headers = download.headers
    if _matches(request.headers.get("if-none-match", ""), download.etag):
        return Response(b"", status_code=304, headers=headers)
    if_range = request.headers.get("if-range")
    # nginx judges If-Range by a validator of its own, so such a request is answered here.
    if x_accel_prefix and if_range is None:
        headers["X-Accel-Redirect"] = quote(x_accel_prefix + download.blob_key)
        return Response(b"", headers=headers)
    wanted = request.headers.get("range", "") if if_range in (None, download.etag) else ""
    start, end = _range(wanted, download.size_bytes)
    headers["Content-Length"] = str(end - start)
    status = 200
    if (start, end) != (0, download.size_bytes) or (wanted and _RANGE.fullmatch(wanted)):
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size_bytes}"
    if request.method == "HEAD" or start == end:
        return Response(b"", status_code=status, headers=headers)
    whole = status == 200
    body = open_blob(download.blob_key, start, None if whole else end)
    return Stream(body, status_code=status, headers=headers)


def _matches(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags


def _range(header: str, size: int) -> tuple[int, int]:
    """Return start and end (exclusive) of one byte range; everything for none, several or another unit."""
    match = _RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return 0, size
    if match[1]:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
        if match[2] and int(match[2]) < int(match[1]):
            return 0, size
    else:
        start, end = max(size - int(match[2]), 0), size
    if start >= end:
        raise RangeNotSatisfiable(f"The file has {size} bytes.", details={"size_bytes": size})
    return start, end
