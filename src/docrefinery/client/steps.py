"""What the client does, as generators that do no input or output: they yield steps, and are given what came of them.

The two clients differ in how they take a step, and in nothing else.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import httpx
from msgspec import Struct

from docrefinery.client.sources import Source

T = TypeVar("T")

ANSWER_SECONDS = 60.0


class Call(Struct, Generic[T], frozen=True, kw_only=True):
    """A request, and how its answer is read.

    :ivar repeatable: whether sending it twice does no more than sending it once.
    :ivar seconds: how long the answer may keep silent.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    params: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    source: Source | None = None
    fields: Mapping[str, str] = {}
    repeatable: bool = True
    seconds: float = ANSWER_SECONDS


class Sink(Protocol):
    """What takes the body of an answer as it comes."""

    def begin(self, response: httpx.Response) -> None:
        """Take note of the status and the headers."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""


class Send(Struct, frozen=True):
    """Send a request and read its answer; a redirect is not followed."""

    call: Call[Any]


class Pour(Struct, frozen=True):
    """Send a request, follow redirects, and pour its answer into a sink if it is a success."""

    call: Call[Any]
    sink: Sink


class Sleep(Struct, frozen=True):
    """Wait so many seconds."""

    seconds: float


Step: TypeAlias = Send | Pour | Sleep
Flow: TypeAlias = Generator[Step, Any, T]

FAILURES = (httpx.HTTPError, OSError)
"""What can become of a step besides an answer; the flow is told."""


def advance(flow: Flow[T], answer: httpx.Response | None, failure: BaseException | None) -> Step:
    """Give a flow what came of its last step; :class:`StopIteration` carries its result."""
    return flow.throw(failure) if failure is not None else flow.send(answer)


def built(http: httpx.Client | httpx.AsyncClient, call: Call[Any]) -> httpx.Request:
    """Return a call as a request."""
    timeout = httpx.Timeout(call.seconds, connect=10.0, pool=None)
    given: dict[str, Any] = {"params": dict(call.params) or None, "headers": dict(call.headers), "timeout": timeout}
    if call.source is not None:
        given |= {"files": {"file": call.source.part()}, "data": dict(call.fields)}
    elif call.content is not None:
        given["content"] = call.content
        given["headers"] |= {"Content-Type": "application/json"}
    return http.build_request(call.method, call.path, **given)
