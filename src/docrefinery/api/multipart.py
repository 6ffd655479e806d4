"""The upload's multipart body, parsed as it arrives: the file goes on, the other fields are small and bounded."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from msgspec import Struct
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from docrefinery.errors import InvalidRequest, UnsupportedMediaType
from docrefinery.services.submissions import Upload

__all__ = ["Form", "receive"]

FIELDS: Mapping[str, int] = {
    "ingest": 16,
    "options_json": 1024 * 1024,
    "profile": 256,
    "external_uuid": 64,
}
"""The text fields and the bytes that each may have."""
PDF_TYPES = ("application/pdf", "application/x-pdf")
OVERHEAD = sum(FIELDS.values()) + 64 * 1024
"""Bytes of a body that are not the file, at the most."""


class Form(Struct):
    """What came besides the file's bytes."""

    filename: str | None = None
    fields: dict[str, bytearray] = {}

    def text(self, name: str) -> str:
        """Return a field, empty if it did not come; raises :class:`UnicodeDecodeError`."""
        return self.fields.get(name, b"").decode()


def boundary_of(content_type: str) -> str:
    """Return the boundary of a multipart content type.

    :raises UnsupportedMediaType: if the body is something else.
    :raises InvalidRequest: if it is a form without a file, or has no boundary.
    """
    kind, parameters = parse_options_header(content_type)
    if kind in ("", "application/x-www-form-urlencoded"):
        raise InvalidRequest("Send the PDF as the field `file` of a multipart/form-data body.")
    if kind != "multipart/form-data":
        raise UnsupportedMediaType("Send a multipart/form-data body with the PDF as its field `file`.")
    if not (boundary := parameters.get("boundary")):
        raise InvalidRequest("The Content-Type has no multipart boundary.")
    return str(boundary)


async def receive(content_type: str, body: AsyncIterator[bytes], upload: Upload) -> Form:
    """Read a body: the part ``file`` into the upload, the others into the form.

    :raises InvalidRequest: if the body is malformed, a field unknown, repeated or too long, or the file missing.
    :raises UnsupportedMediaType: if the file is declared to be something else than a PDF.
    """
    form = Form()
    try:
        with PushMultipartParser(boundary_of(content_type), max_segment_count=32, strict=True) as parser:
            take = None
            async for chunk in body:
                if not chunk:
                    break
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        take = _begin(event, form, upload)
                    elif event is not None and take is not None:
                        await take(bytes(event))
    except MultipartError as error:
        raise InvalidRequest(f"The multipart body is malformed: {error}.") from error
    if form.filename is None:
        raise InvalidRequest("The field `file` is missing.")
    return form


def _begin(segment: MultipartSegment, form: Form, upload: Upload) -> Callable[[bytes], Awaitable[None]]:
    """Return what takes the bytes of the part that begins."""
    name = segment.name or ""
    if name == "file":
        if form.filename is not None:
            raise InvalidRequest("The field `file` came twice; upload one document a request.")
        if segment.content_type and segment.content_type not in PDF_TYPES:
            raise UnsupportedMediaType(f"The file is declared as `{segment.content_type}`; send {PDF_TYPES[0]}.")
        form.filename = segment.filename or ""
        return upload.write
    if name not in FIELDS:
        raise InvalidRequest(f"`{name[:64]}` is not a field; there are file, {', '.join(FIELDS)}.")
    if name in form.fields:
        raise InvalidRequest(f"The field `{name}` came twice.")
    return _collector(name, form)


def _collector(name: str, form: Form) -> Callable[[bytes], Awaitable[None]]:
    data = bytearray()

    async def collect(piece: bytes) -> None:
        data.extend(piece)
        if len(data) > FIELDS[name]:
            raise InvalidRequest(f"The field `{name}` is longer than {FIELDS[name]} bytes.")

    form.fields[name] = data
    return collect
