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
_TUPLES = {"page_range": 2}
_LISTS = frozenset({"exports", "ocr_languages", *_TUPLES})
_DEEPEST = 32
_LONGEST = 64 * 1024
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Defaults(Struct, frozen=True):
    """Options and profile that a key and its tenant bring along, and what the tenant is held to."""

    tenant: Raw
    key: Raw
    profile: str | None
    disabled_profiles: frozenset[str] = frozenset()
    max_pages: int | None = None


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


def decode(value: Any) -> Any:
    """Decode ``options_json`` if it is text, and make sure that it can be kept; an empty text is no options.

    :raises InvalidOptions: if it is not JSON, too long or too deep, or has a character that PostgreSQL cannot store.
    """
    if isinstance(value, (str, bytes, bytearray)):
        if not value.strip():
            return {}
        _check_length(len(value))
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _invalid("`options_json` is not JSON", str(error)) from None
        except RecursionError:
            raise _invalid("`options_json` cannot be kept", "is nested too deeply") from None
    if _depth(value) > _DEEPEST:
        raise _invalid("`options_json` cannot be kept", "is nested too deeply")
    encoded = msgspec.json.encode(value)
    _check_length(len(encoded))
    if _NUL.search(encoded):
        raise _invalid("`options_json` cannot be kept", "contains the character U+0000")
    return value


def _check_length(length: int) -> None:
    if length > _LONGEST:
        raise _invalid("`options_json` cannot be kept", f"is longer than {_LONGEST} bytes")


def _invalid(message: str, detail: str) -> InvalidOptions:
    return InvalidOptions(f"{message}: {detail}.", errors=[FieldError("/options_json", detail)])


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= _DEEPEST:
        depth += 1
        nested = [item for item in level if isinstance(item, (dict, list))]
        level = [inner for item in nested for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def parse(value: Any, registry: Registry) -> Parsed:
    """Check decoded options.

    :raises InvalidOptions: naming every wrong field.
    """
    if not isinstance(value, Mapping):
        given = msgspec.json.encode(value).decode()
        raise _invalid("`options_json` must be a JSON object", f"is no object but {given:.20}")
    known = {name: value[name] for name in value if name in KNOWN and value[name] is not None}
    if errors := [error for name in known for error in _errors(name, known[name], registry)]:
        raise InvalidOptions("`options_json` has wrong values; see `errors`.", errors=errors)
    return Parsed(known=known, ignored={name: value[name] for name in value if name not in KNOWN})


def _errors(name: str, value: Any, registry: Registry) -> list[FieldError]:
    """Return what is wrong with an option: with each item of a list by itself."""
    pointer = f"/options_json/{name}"
    alone = _TUPLES.get(name, 1)
    if name in _LISTS and isinstance(value, list) and (alone == 1 or len(value) == alone):
        reasons = {i: reason for i, item in enumerate(value) if (reason := _reason(name, [item] * alone))}
        errors = [FieldError(f"{pointer}/{i}", reason) for i, reason in reasons.items()]
    else:
        reasons = {}
        errors = [FieldError(pointer, reason)] if (reason := _reason(name, value)) else []
    if name == "exports" and isinstance(value, list):
        known = {i: kind for i, kind in enumerate(value) if i not in reasons}
        errors += _export_errors(known, registry)
    if name == "page_range" and not errors and value[0] > value[1]:
        errors = [FieldError(pointer, "The first page comes after the last")]
    return errors


def _reason(name: str, value: Any) -> str:
    try:
        msgspec.convert({name: value}, ConversionOptions)
    except msgspec.ValidationError as error:
        return str(error).partition(" - at ")[0]
    return ""


def _export_errors(exports: Mapping[int, str], registry: Registry) -> list[FieldError]:
    kinds = ", ".join(sorted(registry.exporters))
    return [
        FieldError(f"/options_json/exports/{i}", f"`{kind}` is not an export; there are {kinds}")
        for i, kind in exports.items()
        if kind not in registry.exporters
    ]


def effective(
    settings: Settings, registry: Registry, defaults: Defaults, *, profile: str | None, requested: Any
) -> Effective:
    """Merge the layers: the request beats the profile, the key, the tenant and the installation, in this order.

    A profile's ``exports`` beat even the request's.

    :raises InvalidOptions: if the requested options are wrong; it names a profile that does not exist as well.
    :raises UnknownProfile: if the profile does not exist.
    """
    name = profile or defaults.profile or None
    chosen = registry.profiles.get(name) if name else None
    unknown = [_unknown(name, registry, requested=bool(profile))] if name and chosen is None else []
    try:
        parsed = parse(requested, registry)
    except InvalidOptions as error:
        raise error.join(*unknown) from None
    if unknown:
        raise unknown[0]
    installation = {
        "max_num_pages": settings.max_pages,
        "max_file_size": settings.upload_limit,
        "document_timeout": settings.document_timeout_limit,
        "exports": list(DEFAULT_EXPORTS),
        "do_ocr": True,
        "do_table_structure": True,
    }
    tenant, key = msgspec.json.decode(defaults.tenant), msgspec.json.decode(defaults.key)
    options: dict[str, Any] = {}
    for layer in (installation, tenant, key, chosen.options if chosen else {}, parsed.known):
        options |= _with_both_names(layer)
    if chosen:
        options["exports"] = list(chosen.exports)
    options["exports"] = list(dict.fromkeys(options["exports"]))
    # Defaults were checked when they were set, but a plugin may have been removed since.
    if errors := _export_errors(dict(enumerate(options["exports"])), registry):
        raise InvalidOptions("The default `exports` of the key or tenant are not available.", errors=errors)
    for kind in options["exports"]:
        options |= registry.exporters[kind].needs
    return Effective(
        profile=name, options=_capped(options, settings, defaults), exports=options["exports"], ignored=parsed.ignored
    )


def _unknown(name: str, registry: Registry, *, requested: bool) -> UnknownProfile:
    message = f"There is no profile `{name}`; there are {', '.join(sorted(registry.profiles))}."
    return UnknownProfile(message, pointer="/profile" if requested else "")


def _with_both_names(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer in which the guide's short names and Docling's say the same."""
    named = dict(layer)
    ocr = named.get("ocr", named.get("do_ocr"))
    if ocr is not None:
        named |= {"ocr": ocr, "do_ocr": ocr}
    languages = named.get("ocr_languages") or dict(named.get("ocr_options") or {}).get("lang")
    if languages:
        named |= {"ocr_languages": list(languages), "ocr_options": {"lang": list(languages)}}
    return named


def _capped(options: dict[str, Any], settings: Settings, defaults: Defaults) -> dict[str, Any]:
    pages = [limit for limit in (options["max_num_pages"], settings.max_pages_limit, defaults.max_pages) if limit]
    return options | {
        "max_num_pages": min(pages, default=0),
        "document_timeout": min(options["document_timeout"], settings.document_timeout_limit),
    }
