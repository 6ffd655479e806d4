"""uvicorn with a bound on a request's head, refusals in the API's own shape, and an orderly end."""

import json
import logging
import random
import signal
import socket
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from docrefinery.errors import BrokenOff, InvalidRequest

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers; the parser has no bound of its own, and takes quadratic time for one long header."""


HURRIED_SECONDS = 3
"""What requests in flight are given after SIGINT: a person waits at a terminal."""


def _unless_told(record: logging.LogRecord) -> bool:
    """Return whether a line says something new: the server adds a stack to an answer that we have cut off."""
    return not (record.exc_info and _of_broken_off(record.exc_info[1]))


def _of_broken_off(error: BaseException | None) -> bool:
    """Return whether an error is, holds or follows from an answer that was cut off."""
    if error is None or isinstance(error, BrokenOff):
        return error is not None
    held = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return any(map(_of_broken_off, (error.__cause__, *held)))


class GracefulServer(uvicorn.Server):
    """Stops accepting, has ended what would go on for ever, and lets the requests in flight end within the grace time.

    :param let_go: ends what only waits: held answers and streams of events.
    """

    def __init__(self, config: uvicorn.Config, let_go: Callable[[], None]) -> None:
        super().__init__(config)
        self._let_go = let_go
        logging.getLogger("uvicorn.error").addFilter(_unless_told)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal; a second SIGINT ends it at once."""
        if sig == signal.SIGINT:
            self.config.timeout_graceful_shutdown = HURRIED_SECONDS
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop in order."""
        self._let_go()
        await super().shutdown(sockets)


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
