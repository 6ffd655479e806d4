"""An answer that comes before the request's body is whole, such as 413: the rest of the body is not taken.

The connection ends with such an answer, but not at once: a client that is still sending when it is cut off would not
see the answer (RFC 9112 §9.6). So the server reads on for a moment, as nginx does, and throws away what comes.
"""

import asyncio
from collections.abc import Mapping

from litestar.types import HTTPReceiveMessage, Message, Receive, Send

LINGER_SECONDS = 2.0
LINGER_BYTES = 8 * 1024 * 1024
_ARRIVES_AT_ONCE = 256 * 1024


def cutting_off(headers: Mapping[bytes, bytes], receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Wrap a request's two channels."""
    declared = headers.get(b"content-length", b"")
    small = int(declared) <= _ARRIVES_AT_ONCE if declared.isdigit() else b"transfer-encoding" not in headers
    if small:
        return receive, send
    whole = early = False

    async def receiving() -> HTTPReceiveMessage:
        nonlocal whole
        message = await receive()
        assert message["type"] in ("http.request", "http.disconnect")
        whole = message["type"] != "http.request" or not message["more_body"]
        return message

    async def sending(message: Message) -> None:
        nonlocal early
        if message["type"] == "http.response.start" and not whole:
            early = True
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        if message["type"] != "http.response.body" or message["more_body"] or not early:
            await send(message)
            return
        await send({**message, "more_body": True})
        await _discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return receiving, sending


async def _discard(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message["more_body"]:
                    return
                left -= len(message["body"])
    except TimeoutError:
        return
