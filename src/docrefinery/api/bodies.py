"""JSON bodies: every wrong field is named, not only the first."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

import msgspec
from litestar.openapi.spec import Operation
from msgspec import Struct

from docrefinery.errors import FieldError, InvalidRequest, RequestError

Body = TypeVar("Body", bound=Struct)
Later = Callable[[dict[str, Any]], Awaitable[Sequence[RequestError]]]

_MOST_ITEMS = 20


async def _nothing(_: dict[str, Any]) -> Sequence[RequestError]:
    return ()


async def read(
    body: bytes,
    kind: type[Body],
    checks: Mapping[str, Callable[[str], object]] = MappingProxyType({}),
    later: Later = _nothing,
) -> Body:
    """Decode a request's body.

    :param checks: for fields whose type does not say all; each raises :class:`ValueError` for a text it refuses.
    :param later: finds what the fields that are right so far would be refused for afterwards; asked only if others are
        wrong, so that the refusal names these too.
    :raises InvalidRequest: naming every field that is unknown, missing or of a wrong type.
    """
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.") from None
    if not isinstance(given, dict):
        raise InvalidRequest("The body must be a JSON object.")
    wrong = _errors(given, kind)
    for name, check in checks.items():
        wrong += _refused(given, name, check, wrong)
    if wrong:
        refusal = InvalidRequest("The body has wrong fields; see `errors`.", errors=wrong)
        pointers = {error.pointer for error in wrong}
        raise refusal.join(*await later({name: given[name] for name in given if f"/{name[:64]}" not in pointers}))
    return msgspec.convert(given, kind)


def _refused(
    given: dict[str, Any], name: str, check: Callable[[str], object], wrong: list[FieldError]
) -> list[FieldError]:
    if name in given and not any(error.pointer == f"/{name}" for error in wrong):
        try:
            check(str(given[name]))
        except ValueError:
            return [FieldError(f"/{name}", "is neither a number nor a uuid")]
    return []


def _errors(given: dict[str, Any], kind: type[Struct]) -> list[FieldError]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    types = get_type_hints(kind, include_extras=True)
    wrong = [
        FieldError(f"/{name[:64]}", f"is not a field; there are {', '.join(fields)}")
        for name in given
        if name not in fields
    ]
    for name, field in fields.items():
        if name not in given:
            if field.required:
                wrong.append(FieldError(f"/{name}", "is missing"))
            continue
        if reason := _reason(given[name], types[field.name]):
            items = given[name] if isinstance(given[name], list) else []
            each = islice(dict.fromkeys(_reasons(items, types[field.name])), _MOST_ITEMS)
            wrong.append(FieldError(f"/{name}", "; ".join(each) or reason))
    return wrong


def _reason(value: Any, kind: Any) -> str:
    """Return why a value is not of a type, or nothing."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return str(error).partition(" - at ")[0]
    return ""


def _reasons(items: Sequence[Any], kind: Any) -> Iterator[str]:
    """Return what is wrong with the items of a list, each by itself."""
    return (reason for item in items if (reason := _reason([item], kind)))


def documented(kind: type[Struct]) -> type[Operation]:
    """Return an operation class that describes the body, for a handler's ``operation_class``."""
    _, components = msgspec.json.schema_components([kind])
    schema = components[kind.__name__]

    class WithBody(Operation):
        def to_schema(self) -> dict[str, Any]:
            body = {"content": {"application/json": {"schema": schema}}, "required": True}
            return super().to_schema() | {"requestBody": body}

    return WithBody
