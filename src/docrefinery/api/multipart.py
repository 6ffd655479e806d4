"""The upload's multipart body, parsed as it arrives: the file goes on, the other fields are small and bounded."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from msgspec import Struct
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from docrefinery.api.filenames import harmless
from docrefinery.errors import FieldError, InvalidRequest, UnsupportedMediaType
from docrefinery.services.uploads import Upload

__all__ = ["Form", "receive", "refused"]

FIELDS: Mapping[str, int] = {
    "ingest": 16,
    "options_json": 128 * 1024,
    "profile": 256,
    "external_uuid": 64,
}
"""The text fields and the bytes that each may have; the options' own bound is lower, and says so in their own words."""
PDF_TYPES = ("application/pdf", "application/x-pdf")
OVERHEAD = sum(FIELDS.values()) + 64 * 1024
"""Bytes of a body that are not the file, at the most."""
PREAMBLE = 64 * 1024
"""Bytes within which the first part must have begun."""


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

    :raises InvalidRequest: if the body is malformed, or a field unknown, repeated or too long.
    :raises UnsupportedMediaType: if the file is declared to be something else than a PDF.
    """
    form = Form()
    try:
        # Not strict: it would refuse a body whose last line break arrives by itself.
        with PushMultipartParser(boundary_of(content_type), max_segment_count=32) as parser:
            take, received = None, 0
            async for chunk in body:
                if not chunk:
                    break
                received += len(chunk)
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        take = _begin(event, form, upload)
                    elif event is not None and take is not None:
                        await take(bytes(event))
                _check_overhead(received - upload.size_bytes, begun=take is not None)
    except MultipartError as error:
        raise InvalidRequest(f"The multipart body is malformed: {error}.") from error
    return form


def _check_overhead(received: int, *, begun: bool) -> None:
    """Refuse a body that goes on without being a form, or after the form has ended."""
    if received > OVERHEAD or (received > PREAMBLE and not begun):
        raise InvalidRequest("The multipart body is malformed: it does not begin or end with its boundary.")


def refused(name: str, detail: str) -> InvalidRequest:
    """Return the error that says why a form with this field is not taken."""
    shown = name[:64]
    return InvalidRequest(f"The field `{shown}` {detail}.", errors=[FieldError(f"/{shown}", detail)])


def _begin(segment: MultipartSegment, form: Form, upload: Upload) -> Callable[[bytes], Awaitable[None]]:
    """Return what takes the bytes of the part that begins."""
    name = segment.name or ""
    if name == "file":
        if form.filename is not None:
            raise refused(name, "came twice; upload one document a request")
        if segment.content_type and segment.content_type not in PDF_TYPES:
            raise UnsupportedMediaType(f"The file is declared as `{segment.content_type}`; send {PDF_TYPES[0]}.")
        form.filename = segment.filename or ""
        upload.named(harmless(form.filename))
        return upload.write
    if name not in FIELDS:
        raise refused(name, f"is unknown; there are file, {', '.join(FIELDS)}")
    if name in form.fields:
        raise refused(name, "came twice")
    return _collector(name, form)


def _collector(name: str, form: Form) -> Callable[[bytes], Awaitable[None]]:
    data = bytearray()

    async def collect(piece: bytes) -> None:
        data.extend(piece)
        if len(data) > FIELDS[name]:
            raise refused(name, f"is longer than {FIELDS[name]} bytes")

    form.fields[name] = data
    return collect
