"""The parent's side of picture descriptions: an endpoint that speaks OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat/create; also served by llama.cpp, Ollama, vLLM and others.
"""

import base64
from typing import Annotated

import httpx
import msgspec
import structlog
from msgspec import Meta, Struct
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from docrefinery.pipeline.protocol import Description, Picture

log = structlog.get_logger(__name__)

PROMPT = "Describe this picture from a document in a few sentences. If it is a chart or diagram, say what it shows."
LONGEST_TEXT = 4000
_SECONDS = 120.0
_ATTEMPTS = 3
_LARGEST_ANSWER = 1024 * 1024


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

    :param url: the endpoint: ``…/v1`` or ``…/v1/chat/completions``.
    :param model: its name for the model; empty sends none.
    :param api_key: sent as a bearer token; empty sends none.
    """

    def __init__(self, url: str, model: str = "", api_key: str = "") -> None:
        base = url.rstrip("/")
        self._url = base if base.endswith("/chat/completions") else f"{base}/chat/completions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

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
        raise AssertionError("tenacity returns or raises")

    async def _ask(self, content: bytes) -> str:
        try:
            async with httpx.AsyncClient(
                headers={"Content-Type": "application/json", **self._headers}, timeout=_SECONDS
            ) as client:
                answer = await client.post(self._url, content=self._question(content))
        except httpx.HTTPError as error:
            # The error's own words may hold the URL, and that a password.
            raise _Later(f"the endpoint cannot be reached ({type(error).__name__})") from None
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise _Later(f"the endpoint answered {answer.status_code}")
        if not answer.is_success:
            raise _Refused(f"the endpoint answered {answer.status_code}")
        try:
            if len(answer.content) > _LARGEST_ANSWER:
                raise msgspec.ValidationError("too long")
            text = msgspec.json.decode(answer.content, type=_Completion).choices[0].message.content.strip()
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _Refused("the endpoint's answer is not a chat completion with a text") from None
        return text[:LONGEST_TEXT]

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
