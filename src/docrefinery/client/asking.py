"""One call with its retries: what is safe to repeat is repeated, as long as the caller has patience."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random, wait_random_exponential

from docrefinery.client.connection import Patience
from docrefinery.client.errors import ApiError, Busy, ClientError, ServiceFailed, Unreachable, api_error
from docrefinery.client.steps import Call, Flow, Send, Sleep, Step

T = TypeVar("T")

SLOWEST = 15.0
"""Seconds between two attempts at the most, where the service does not say."""
JITTER = 0.25
"""By so much of it, and no more than a few seconds, a ``Retry-After`` is stretched: not everybody comes at once."""
_backing_off = wait_random_exponential(multiplier=0.5, max=SLOWEST)
_ELSEWHERE = (502, 504)


def ask(call: Call[T], patience: Patience) -> Flow[T]:
    """Send a call until it is answered for good, and return what it reads from the answer."""
    return persist(lambda: Send(call), call, patience)


def persist(step: Callable[[], Step], call: Call[T], patience: Patience) -> Flow[T]:
    """Take a call's step until it is answered for good.

    :param step: makes the step anew for each attempt.
    :raises ApiError: if the service refuses.
    :raises Unreachable: if it cannot be reached.
    """
    pause, done = 0.0, False

    def note(seconds: float) -> None:
        nonlocal pause
        pause = seconds

    def announce(state: RetryCallState) -> None:
        nonlocal done
        error = _failure(state)
        done = done or isinstance(error, ServiceFailed) or (isinstance(error, Unreachable) and error.sent)
        if patience.told is not None and isinstance(error, ClientError):
            patience.told(error, state.upcoming_sleep)

    def hopeless(state: RetryCallState) -> bool:
        limit = patience.busy if isinstance(_failure(state), Busy) else patience.unreachable
        return state.idle_for + state.upcoming_sleep > limit

    worth = retry_if_exception(lambda error: _worth_another(error, call))
    for attempt in Retrying(retry=worth, wait=_pause, stop=hopeless, sleep=note, before_sleep=announce, reraise=True):
        if pause:
            yield Sleep(pause)
        with attempt:
            with translated():
                answer: httpx.Response = yield step()
            if done and call.method == "DELETE" and answer.status_code == httpx.codes.NOT_FOUND:
                # The attempt before did it, and its answer got lost.
                return call.read(answer)
            return call.read(checked(answer))
    raise AssertionError("tenacity returns or raises")


@contextmanager
def translated() -> Iterator[None]:
    """Raise what keeps an answer from coming as :class:`Unreachable`."""
    try:
        yield
    except httpx.HTTPError as error:
        raise _unreachable(error) from error


def checked(answer: httpx.Response) -> httpx.Response:
    """Return an answer that is no refusal.

    :raises ApiError: if it is one.
    """
    if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
        return answer
    body = answer.content
    if answer.is_redirect:
        body = b'{"error_code": "REDIRECTED", "detail": "The service answers with a redirect; check the base URL."}'
    after = _seconds(answer.headers.get("retry-after", ""))
    raise api_error(answer.status_code, body, after, answer.headers.get("x-request-id", ""))


def _worth_another(error: BaseException, call: Call[Any]) -> bool:
    if call.source is not None and not call.source.repeatable:
        return False
    match error:
        case Unreachable():
            return not error.lasting and (call.repeatable or not error.sent)
        case Busy():
            # A full quota without a time to come back is not emptied by waiting; a refusal has done nothing.
            told = error.retry_after is not None or not error.error_code
            return told and (call.repeatable or bool(error.error_code))
        case ServiceFailed():
            return call.repeatable and error.status in _ELSEWHERE
        case ApiError():
            return call.repeatable and error.error_code == "IDEMPOTENCY_IN_PROGRESS"
        case _:
            return False


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _pause(state: RetryCallState) -> float:
    error = _failure(state)
    if isinstance(error, ApiError) and error.retry_after is not None:
        return error.retry_after + wait_random(0, min(error.retry_after * JITTER, 5.0))(state)
    return float(_backing_off(state))


def _seconds(text: str) -> float | None:
    """Read a ``Retry-After``: seconds or a date (RFC 9110 §10.2.3)."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except ValueError:
        return None


def _unreachable(error: httpx.HTTPError) -> Unreachable:
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    # Waiting helps against none of these.
    lasting = isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError | httpx.TooManyRedirects)
    cause: BaseException | None = error
    while cause is not None and not lasting:
        lasting = isinstance(cause, ssl.SSLCertVerificationError)
        cause = cause.__cause__ or cause.__context__
    told = str(error) or type(error).__name__
    return Unreachable(f"The service cannot be reached: {told}", sent=sent, lasting=lasting)
