"""The parent's side of picture descriptions: an endpoint that speaks OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat/create; also served by llama.cpp, Ollama, vLLM and others.
"""

import asyncio
import base64
import unicodedata
from collections.abc import Callable
from typing import Annotated, Self

import httpx
import msgspec
import structlog
from msgspec import Meta, Struct
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from docrefinery.model import MOST_PICTURES
from docrefinery.pipeline.protocol import PICTURES_AT_ONCE, Description, Picture, ProtocolError

log = structlog.get_logger(__name__)

PROMPT = "Describe this picture from a document in a few sentences. If it is a chart or diagram, say what it shows."
LONGEST_TEXT = 4000
_SECONDS = 120.0
_ATTEMPTS = 3
_LARGEST_ANSWER = 1024 * 1024
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class _Message(Struct):
    content: Annotated[str, Meta(min_length=1)]


class _Choice(Struct):
    message: _Message


class _Completion(Struct):
    choices: Annotated[list[_Choice], Meta(min_length=1)]


class _Later(Exception):
    """Another attempt may succeed."""


class _Refused(Exception):
    """No attempt will."""


class PictureDescriber:
    """Asks an endpoint about pictures; everything that goes wrong becomes an answer.

    It belongs to the event loop that first asks it.

    :param url: the endpoint: ``…/v1`` or ``…/v1/chat/completions``.
    :param model: its name for the model; empty sends none.
    :param api_key: sent as a bearer token; empty sends none.
    :raises ValueError: if URL or key cannot be sent; without their values, since both may be secret.
    """

    def __init__(self, url: str, model: str = "", api_key: str = "") -> None:
        base = url.rstrip("/")
        try:
            self._url = httpx.URL(base if base.endswith("/chat/completions") else f"{base}/chat/completions")
        except httpx.InvalidURL:
            raise ValueError("the URL cannot be read") from None
        if not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("the key has characters that a header cannot carry")
        self._model = model
        self.name = model or "endpoint"
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def describe(self, picture: Picture) -> Description:
        """Return what the model says of a picture."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_Later),
                wait=wait_random_exponential(multiplier=0.5, max=10),
                stop=stop_after_attempt(_ATTEMPTS),
                reraise=True,
            ):
                with attempt:
                    return Description(picture.number, await self._ask(picture.content))
        except (_Later, _Refused) as error:
            log.warning("picture_not_described", reason=str(error))
            return Description(picture.number, None, str(error))
        except Exception:
            # The child waits for an answer, whatever happens.
            log.exception("picture_not_described_unexpectedly")
            return Description(picture.number, None, "the service failed to ask; its log says why")
        raise AssertionError("tenacity returns or raises")

    async def _ask(self, content: bytes) -> str:
        try:
            async with asyncio.timeout(_SECONDS):
                status, body = await self._post(content)
        except TimeoutError:
            raise _Refused(f"the endpoint did not answer within {_SECONDS:g} s") from None
        except httpx.HTTPError as error:
            # The error's own words may hold the URL, and that a password.
            raise _Later(f"the endpoint cannot be reached ({type(error).__name__})") from None
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _Later(f"the endpoint answered {status}")
        if not httpx.codes.is_success(status):
            raise _Refused(f"the endpoint answered {status}")
        try:
            text = msgspec.json.decode(body, type=_Completion).choices[0].message.content.strip()
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _Refused("the endpoint's answer is not a chat completion with a text") from None
        if not (text := _one_paragraph(text)):
            raise _Refused("the endpoint answered nothing")
        return text[:LONGEST_TEXT]

    async def _post(self, content: bytes) -> tuple[int, bytes]:
        """Return status and body of an answer."""
        if self._client is None:
            self._client = httpx.AsyncClient(headers=self._headers, timeout=_SECONDS)
        body = bytearray()
        async with self._client.stream("POST", self._url, content=self._question(content)) as answer:
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _LARGEST_ANSWER:
                    raise _Refused("the endpoint's answer is too long for a chat completion")
        return answer.status_code, bytes(body)

    def _question(self, content: bytes) -> bytes:
        kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
        image = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
        question = {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": PROMPT},
                        {"type": "image_url", "image_url": {"url": image}},
                    ],
                }
            ]
        }
        return msgspec.json.encode({"model": self._model, **question} if self._model else question)


def _one_paragraph(text: str) -> str:
    """Return a text without line breaks, control characters, and those that turn the direction of others."""
    kept = (char if unicodedata.category(char) != "Cc" else " " for char in text if char not in _TURNING)
    return " ".join("".join(kept).split())


class Describing:
    """The pictures of one conversion that are being described; a child may send what it was asked for, and no more.

    :param describer: ``None`` where no descriptions are asked for.
    :param send: takes the answers to the child.
    :param seconds: how long all of it may take; pictures that are not described by then are left.
    """

    def __init__(self, describer: PictureDescriber | None, send: Callable[[Description], None], seconds: float) -> None:
        self._describer = describer
        self._send = send
        self._until = asyncio.get_running_loop().time() + seconds
        self._given_up = ""
        self._taken = 0
        self._out: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._out:
            task.cancel()
        await asyncio.gather(*self._out, return_exceptions=True)

    def take(self, picture: Picture) -> None:
        """Have a picture described, and the answer sent; raises :class:`ProtocolError`."""
        if self._describer is None:
            raise ProtocolError("a picture that nobody asked for")
        if picture.number != self._taken or self._taken >= MOST_PICTURES or len(self._out) >= PICTURES_AT_ONCE:
            raise ProtocolError("more pictures than it may")
        self._taken += 1
        task = asyncio.create_task(self._answer(self._describer, picture))
        self._out.add(task)
        task.add_done_callback(self._out.discard)

    def end(self) -> None:
        """Note that the child is done; an answer that is still out would be taken for one to the next request."""
        if self._out:
            raise ProtocolError("its last word before it had every answer")

    async def _answer(self, describer: PictureDescriber, picture: Picture) -> None:
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(self._until):
                answer = Description(picture.number, None, self._given_up)
                if not self._given_up:
                    answer = await describer.describe(picture)
        except TimeoutError:
            answer = Description(picture.number, None, "the job's time is nearly over")
        if answer.text is None and asyncio.get_running_loop().time() - started >= _SECONDS:
            # Whoever is as slow as that with one picture would hold the worker for all the others.
            self._given_up = answer.problem
        self._send(answer)
