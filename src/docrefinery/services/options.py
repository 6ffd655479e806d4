"""What a conversion is asked for: reading options, naming every error, and merging the layers."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from docrefinery.errors import FieldError, InvalidOptions, UnknownProfile
from docrefinery.model import DEFAULT_EXPORTS, ConversionOptions
from docrefinery.plugin.registry import Registry
from docrefinery.settings import Settings

KNOWN = frozenset(ConversionOptions.__struct_fields__)


class Defaults(Struct, frozen=True):
    """Options and profile that a key and its tenant bring along."""

    tenant: Raw
    key: Raw
    profile: str | None


class Parsed(Struct, frozen=True):
    """A request's options: the known ones, and those that are ignored."""

    known: dict[str, Any]
    ignored: dict[str, Any]


class Effective(Struct, frozen=True):
    """What a job runs with."""

    profile: str | None
    options: dict[str, Any]
    exports: list[str]
    ignored: dict[str, Any]


def decode(text: str | bytes) -> Any:
    """Decode ``options_json``; an empty text is no options.

    :raises InvalidOptions: if it is not JSON.
    """
    if not text.strip():
        return {}
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidOptions(f"`options_json` is not JSON: {error}.") from None


def parse(value: Any, registry: Registry) -> Parsed:
    """Check decoded options.

    :raises InvalidOptions: naming every wrong field.
    """
    if not isinstance(value, Mapping):
        raise InvalidOptions("`options_json` must be a JSON object.")
    known = {name: value[name] for name in value if name in KNOWN and value[name] is not None}
    errors = [error for name in known if (error := _type_error(name, known[name]))]
    if not errors:
        errors = [*_export_errors(known.get("exports", ()), registry), *_range_errors(known.get("page_range"))]
    if errors:
        raise InvalidOptions("`options_json` has wrong values; see `errors`.", errors=errors)
    return Parsed(known=known, ignored={name: value[name] for name in value if name not in KNOWN})


def _type_error(name: str, value: Any) -> FieldError | None:
    try:
        msgspec.convert({name: value}, ConversionOptions)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at ")
        pointer = re.sub(r"\[(\w+|\.\.\.)\]", r"/\1", path.strip("`").removeprefix("$")).replace(".", "/")
        return FieldError(f"/options_json{pointer or '/' + name}", detail)
    return None


def _export_errors(exports: list[str], registry: Registry) -> list[FieldError]:
    kinds = ", ".join(sorted(registry.exporters))
    return [
        FieldError(f"/options_json/exports/{i}", f"`{kind}` is not an export; there are {kinds}")
        for i, kind in enumerate(exports)
        if kind not in registry.exporters
    ]


def _range_errors(page_range: list[int] | None) -> list[FieldError]:
    if page_range is None or page_range[0] <= page_range[1]:
        return []
    return [FieldError("/options_json/page_range", "The first page comes after the last")]


def effective(
    settings: Settings, registry: Registry, defaults: Defaults, *, profile: str | None, requested: Any
) -> Effective:
    """Merge the layers: the request beats the profile, the key, the tenant and the installation, in this order.

    A profile's ``exports`` beat even the request's.

    :raises UnknownProfile: if the profile does not exist.
    :raises InvalidOptions: if the requested options are wrong.
    """
    parsed = parse(requested, registry)
    name = profile or defaults.profile or None
    chosen = registry.profiles.get(name) if name else None
    if name and chosen is None:
        raise UnknownProfile(f"There is no profile `{name}`; there are {', '.join(sorted(registry.profiles))}.")
    options: dict[str, Any] = {
        "max_num_pages": settings.max_pages,
        "max_file_size": settings.upload_limit,
        "document_timeout": settings.document_timeout_limit,
        "exports": list(DEFAULT_EXPORTS),
        **msgspec.json.decode(defaults.tenant),
        **msgspec.json.decode(defaults.key),
        **(chosen.options if chosen else {}),
        **parsed.known,
        **({"exports": list(chosen.exports)} if chosen else {}),
    }
    options["exports"] = list(dict.fromkeys(options["exports"]))
    # Defaults were checked when they were set, but a plugin may have been removed since.
    if errors := _export_errors(options["exports"], registry):
        raise InvalidOptions("The default `exports` of the key or tenant are not available.", errors=errors)
    for kind in options["exports"]:
        options |= registry.exporters[kind].needs
    return Effective(
        profile=name, options=_capped(options, settings), exports=options["exports"], ignored=parsed.ignored
    )


def _capped(options: dict[str, Any], settings: Settings) -> dict[str, Any]:
    cap, asked = settings.max_pages_limit, options["max_num_pages"]
    return options | {
        "max_num_pages": min(asked or cap, cap) if cap else asked,
        "document_timeout": min(options["document_timeout"], settings.document_timeout_limit),
    }
