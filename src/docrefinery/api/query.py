"""Query parameters: each is declared once, for reading and for the OpenAPI document."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from litestar import Request
from litestar.openapi.spec import Operation, Parameter, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from msgspec import Struct

from docrefinery.errors import FieldError, InvalidFilter
from docrefinery.store.paging import Cursor, Page, PageRequest
from docrefinery.store.records import ref_of

_OFFSET_LOST_PLUS = re.compile(r"((?:T\d{2,6}|:\d\d)(?:\.\d+)?) (\d\d(?::?\d\d)?)$")


REF = r"^([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"
"""An id as the OpenAPI document describes it: a number or a uuid."""


class Param(Struct, frozen=True):
    """A query parameter: how its text is read (``ValueError`` says why not) and what it looks like."""

    name: str
    description: str
    read: Callable[[str], Any]
    schema: Schema


def time_of(text: str) -> datetime:
    """Read ISO 8601: a date is its midnight, a naive time is UTC, and a ``+`` that arrived as a space is understood."""
    moment = datetime.fromisoformat(_OFFSET_LOST_PLUS.sub(r"\1+\2", text.strip()))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def ref(name: str, description: str) -> Param:
    """Declare an id: number or uuid."""
    schema = Schema(type=OpenAPIType.STRING, pattern=REF)
    return Param(name, description, _explained(ref_of, "is neither a number nor a uuid"), schema)


def uuid(name: str, description: str) -> Param:
    """Declare a uuid."""
    schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID)
    return Param(name, description, _explained(UUID, "is not a uuid"), schema)


def time(name: str, description: str) -> Param:
    """Declare a point in time."""
    schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME)
    return Param(
        name, description, _explained(time_of, "is not an ISO 8601 time of the years 1 to 9999 in UTC"), schema
    )


def words(name: str, description: str, pattern: str = r"[\w.-]{1,64}") -> Param:
    """Declare one or more names, separated by commas."""

    def read(text: str) -> tuple[str, ...]:
        parts = tuple(part.strip() for part in text.split(","))
        if not all(re.fullmatch(pattern, part) for part in parts):
            raise ValueError("is not a name, or names separated by commas")
        return parts

    return Param(name, description, read, Schema(type=OpenAPIType.STRING, pattern=_several(pattern)))


def choices(name: str, description: str, kind: type[StrEnum]) -> Param:
    """Declare one or more values of an enumeration, separated by commas."""
    known = [member.value for member in kind]

    def read(text: str) -> tuple[str, ...]:
        parts = tuple(part.strip() for part in text.split(","))
        if wrong := [part for part in parts if part not in known]:
            each = list(dict.fromkeys(f"`{part}`" for part in wrong))
            raise ValueError(f"{', '.join(each)} {'are' if each[1:] else 'is'} none of {', '.join(known)}")
        return parts

    return Param(
        name,
        f"{description} One or more of {', '.join(known)}, separated by commas.",
        read,
        Schema(type=OpenAPIType.STRING, pattern=_several(f"({'|'.join(known)})")),
    )


def whole(name: str, description: str, low: int, high: int) -> Param:
    """Declare a whole number within bounds."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise ValueError(f"is not a whole number from {low} to {high}")
        return int(text)

    return Param(name, description, read, Schema(type=OpenAPIType.INTEGER, minimum=low, maximum=high))


def sha256(name: str, description: str) -> Param:
    """Declare one or more SHA-256 in hex, separated by commas."""
    several = words(name, description, "[0-9a-fA-F]{64}")

    def read(text: str) -> tuple[str, ...]:
        return tuple(part.lower() for part in several.read(text))

    return Param(name, description, _explained(read, "is not a SHA-256 in hex, or several"), several.schema)


def _several(pattern: str) -> str:
    return rf"^{pattern}(,{pattern})*$"


def _explained(read: Callable[[str], Any], reason: str) -> Callable[[str], Any]:
    def explained(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, OverflowError):
            raise ValueError(reason) from None

    return explained


PAGING = (
    whole("page_size", "Results a page.", 1, 200),
    Param("cursor", "Where the page begins; taken from a link.", Cursor.decode, Schema(type=OpenAPIType.STRING)),
)


def documented(params: tuple[Param, ...]) -> type[Operation]:
    """Return an operation class that lists the parameters, for a handler's ``operation_class``."""

    @dataclass  # its generated __init__ is what calls __post_init__
    class WithParameters(Operation):
        def __post_init__(self) -> None:
            self.parameters = [
                *(self.parameters or []),
                *(Parameter(p.name, "query", description=p.description, schema=p.schema) for p in params),
            ]

    return WithParameters


def read(request: Request[Any, Any, Any], params: tuple[Param, ...]) -> dict[str, Any]:
    """Return the values of the parameters that are given.

    :raises InvalidFilter: naming every parameter that is unknown, given twice or not readable.
    """
    known = {param.name: param for param in params}
    values: dict[str, Any] = {}
    wrong: list[FieldError] = []
    for name, text in request.query_params.multi_items():
        if name not in known:
            wrong.append(FieldError(f"/{name}", f"is not a parameter here; there are {', '.join(known) or 'none'}"))
        elif name in values:
            wrong.append(FieldError(f"/{name}", "is given twice"))
        else:
            try:
                values[name] = known[name].read(text)
            except ValueError as error:
                wrong.append(FieldError(f"/{name}", str(error) if text else "is empty"))
    if wrong:
        detail = "; ".join(f"`{error.pointer[1:]}` {error.detail}" for error in wrong)
        raise InvalidFilter(f"The query cannot be read: {detail}.", errors=wrong)
    return values


def page_request(values: dict[str, Any]) -> PageRequest:
    """Take the paging parameters out of a query's values."""
    return PageRequest(size=values.pop("page_size", 50), cursor=values.pop("cursor", None))


def links(request: Request[Any, Any, Any], public_url: str, page: Page[Any]) -> tuple[str | None, str | None]:
    """Return the links to the next and the previous page."""
    return (
        _link(request, public_url, page.next) if page.next else None,
        _link(request, public_url, page.previous) if page.previous else None,
    )


def _link(request: Request[Any, Any, Any], public_url: str, cursor: Cursor) -> str:
    base = urlsplit(public_url) if public_url else urlsplit(str(request.base_url))
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    query = urlencode([*kept, ("cursor", cursor.encode())])
    path = request.url.path
    return f"{base.scheme}://{base.netloc}{base.path.rstrip('/')}{path if path.endswith('/') else path + '/'}?{query}"
