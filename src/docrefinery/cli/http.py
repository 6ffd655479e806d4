"""uvicorn's protocol with a bound on a request's head, and refusals in the API's own shape."""

import json
import random
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from docrefinery.errors import InvalidRequest

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers; the parser has no bound of its own, and takes quadratic time for one long header."""


class BoundedProtocol(HttpToolsProtocol):
    """Reads requests; ends the connection of a client whose request's head has no end."""

    _head_bytes = 0
    _head_ended = False
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Take the next bytes of the connection."""
        self._head_ended = False
        super().data_received(data)
        # A piece in which a head ended counts for nothing: the next head began in it, who knows where.
        self._head_bytes = 0 if self._head_ended or not self._in_head else self._head_bytes + len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            detail = f"The request's head is longer than {MAX_HEAD_BYTES} bytes."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that a head ends."""
        self._in_head, self._head_ended = False, True
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        request_id = f"{random.getrandbits(128):032x}"
        body = json.dumps(
            {
                "type": f"urn:docrefinery:error:{InvalidRequest.error_code}",
                "title": "Invalid request",
                "status": status,
                "detail": detail,
                "error_code": InvalidRequest.error_code,
                "request_id": request_id,
            }
        )
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nx-request-id: {request_id}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write((head + body).encode())
        self.transport.close()
