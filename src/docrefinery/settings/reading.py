"""Reading the settings from environment variables; what is wrong with one is said in one line."""

import base64
import binascii
import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec

from docrefinery.settings.durations import hours_of
from docrefinery.settings.struct import Settings, SettingsError


def variables() -> dict[str, msgspec.inspect.Field]:
    """Return each setting's environment variable and field, in the order of the struct."""
    info = msgspec.inspect.type_info(Settings)
    assert isinstance(info, msgspec.inspect.StructType)
    return {_variable(field): field for field in info.fields if field.name != "environ"}


def description(field: msgspec.inspect.Field) -> str:
    """Return the sentence that describes a setting."""
    assert isinstance(field.type, msgspec.inspect.Metadata)
    return str((field.type.extra_json_schema or {})["description"])


def _variable(field: msgspec.inspect.Field) -> str:
    assert isinstance(field.type, msgspec.inspect.Metadata)
    return (field.type.extra or {}).get("name") or f"DOCREFINERY_{field.name.upper()}"


_POSTGRES = (r"postgres(ql)?://.+", "a URL like postgresql://user:password@host/database")
_FORMS = {
    "database_url": _POSTGRES,
    "migration_database_url": _POSTGRES,
    "redis_url": (r"(rediss?|unix)://.+", "a URL like redis://host:6379/0"),
    "storage_url": (r"file:///.+|(s3|gs|az)://.+", "a URL like file:///folder or s3://bucket/prefix"),
    "presigned_endpoint": (r"https?://[^/?#]+/?", "a URL like https://files.example"),
    "clamd_address": (r"unix:/.+|.+:\d{1,5}", "host:port or unix:/path"),
    "public_url": (r"https?://.+", "a URL like https://refinery.example"),
    "picture_description_url": (r"https?://.+", "a URL like http://host:8080/v1"),
}
"""What a text setting must look like, and how to say so."""
_DEVICE = r"auto|cpu|cuda(:\d{1,3})?|mps|xpu"


_LISTS = frozenset({"plugins", "queues", "secret_keys", "webhook_allow_nets", "webhook_retry_delays"})
"""Settings whose values are separated by commas."""
_DURATIONS = frozenset({"keep_files_hours", "keep_artifacts_hours", "keep_jobs_hours", "keep_tombstones_hours"})


_SWITCHES = frozenset({"database_statement_cache", "encrypt"})
"""Settings that are on or off."""
_SWITCHED = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
PRESIGNED_SECONDS = 300
"""For how long a URL is good where nobody says otherwise: begun downloads go on after it."""


_BY_WORD = frozenset({"jail", "model_isolation"})
"""Settings that say how far things are kept apart, and so are not left out by an empty value.

Compose files hand on what is not set as an empty value, and templates of theirs have lines to be filled in: for an
address, a limit or a switch that is the default. Here it would quietly take away what somebody believes to be there.
"""


def _parse(field: msgspec.inspect.Field, text: str) -> Any:
    if field.name in ("data_dir", "models_dir", "storage_ca_file"):
        return Path(text).expanduser()
    if field.name in _LISTS:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if field.name in _DURATIONS:
        try:
            return hours_of(text)
        except ValueError as error:
            raise SettingsError(f"{_variable(field)}: {error}") from None
    if field.name in _SWITCHES:
        return _SWITCHED.get(text.lower(), text)
    if field.name == "presigned_downloads":
        switched = _SWITCHED.get(text.lower())
        return text if switched is None else switched * PRESIGNED_SECONDS
    return text


_OF_CLIENTS = frozenset({"DOCREFINERY_SERVER", "DOCREFINERY_API_KEY"})
"""What programs read that talk to an installation; they may stand beside the settings of another one."""


def load(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Read the settings from environment variables.

    :param environ: the variables; an empty value counts as unset, but for ``DOCREFINERY_PLUGINS``,
        where it is none, and for those that keep things apart, where it is refused.
    :param overrides: fields given on the command line; ``None`` is "not given".
    :raises SettingsError: if a ``DOCREFINERY_*`` variable is unknown or a value is not usable, or missing where
        it must be said.
    """
    known = variables()
    by_field = {field.name: name for name, field in known.items()}
    for name in environ:
        if name.startswith("DOCREFINERY_") and name not in known and name not in _OF_CLIENTS:
            near = get_close_matches(name, known, n=1)
            raise SettingsError(
                f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "; see docs/configuration.md")
            )
    for field_name in _BY_WORD:
        if environ.get(name := by_field[field_name]) is not None and not environ[name].strip():
            raise SettingsError(f"{name} is set and empty: give it a value, or unset it for the default")
    values = {
        field.name: _parse(field, environ[name].strip())
        for name, field in known.items()
        if environ.get(name, "").strip() or (field.name == "plugins" and name in environ)
    }
    # A bad value stops the start even where an option beats it: processes that are started read it too.
    _convert(values, by_field)
    values |= {name: value for name, value in overrides.items() if value is not None}
    read = msgspec.structs.replace(_convert(values, by_field), environ=dict(environ))
    return _checked(read, by_field)


def _convert(values: dict[str, Any], by_field: dict[str, str]) -> Settings:
    for name, value in values.items():
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            reason = _reason(name, value, error)
            shown = ",".join(value) if isinstance(value, tuple) else value
            raise SettingsError(f"{by_field[name]}={shown!s}: {reason}") from None
    return msgspec.convert(values, Settings, strict=False)


def _choices(field_name: str) -> str:
    kind: msgspec.inspect.Type = next(field.type for field in variables().values() if field.name == field_name)
    while isinstance(kind, msgspec.inspect.Metadata | msgspec.inspect.VarTupleType):
        kind = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind.item_type
    return f"; use one of {', '.join(map(str, kind.values))}" if isinstance(kind, msgspec.inspect.LiteralType) else ""


def _reason(field_name: str, value: Any, error: msgspec.ValidationError) -> str:
    """Say what is wrong with a value, in words of what people may write there."""
    if field_name in _SWITCHES:
        return "use true or false (or yes, no, on, off, 1, 0)"
    if field_name == "presigned_downloads" and not re.fullmatch(r"-?\d+", str(value)):
        return "use true, false or a number of seconds"
    return str(error).split(" - at ")[0].replace(" | null", "") + _choices(field_name)


def _checked(settings: Settings, by_field: Mapping[str, str]) -> Settings:
    for field_name, (form, example) in _FORMS.items():
        value: str = getattr(settings, field_name)
        if value and not re.fullmatch(form, value, re.DOTALL):
            # Not the value: a mistyped URL holds its password all the same.
            raise SettingsError(f"{by_field[field_name]} {_unlike(value)}; use {example}")
    if not re.fullmatch(_DEVICE, settings.device):
        raise SettingsError(
            f"DOCREFINERY_DEVICE={settings.device}: use auto, cpu, cuda, a numbered one like cuda:1, mps or xpu"
        )
    _check_webhooks(settings)
    _check_storage(settings)
    return settings


def _unlike(value: str) -> str:
    scheme = value.partition(":")[0]
    if not value.startswith(f"{scheme}:"):
        return f"begins with {scheme[:20]!r}"
    if scheme == "file":
        return "names no absolute folder, which takes three slashes after file:"
    if scheme in ("s3", "gs", "az") and not value.partition("://")[2]:
        return f"names no {'container' if scheme == 'az' else 'bucket'} after {scheme}://"
    return f"begins with {scheme[:20]!r}"


def _check_storage(settings: Settings) -> None:
    prefix = settings.x_accel_prefix
    if prefix and not (prefix.startswith("/") and prefix.endswith("/")):
        raise SettingsError(f"DOCREFINERY_X_ACCEL_PREFIX={prefix}: start and end it with a slash, like /protected/")
    if prefix and not settings.storage.startswith("file:"):
        raise SettingsError(
            "DOCREFINERY_X_ACCEL_PREFIX needs a storage folder; DOCREFINERY_STORAGE_URL names another kind"
        )
    if settings.presigned_downloads and settings.storage_folder is not None:
        raise SettingsError(
            "DOCREFINERY_PRESIGNED_DOWNLOADS needs object storage, since nobody signs URLs of a folder; set "
            "DOCREFINERY_STORAGE_URL, or DOCREFINERY_X_ACCEL_PREFIX for nginx"
        )
    if settings.presigned_endpoint and not settings.storage.startswith("s3:"):
        raise SettingsError(
            "DOCREFINERY_PRESIGNED_ENDPOINT is for S3 alone; DOCREFINERY_STORAGE_URL names another kind"
        )
    if settings.presigned_endpoint and not settings.presigned_downloads:
        raise SettingsError(
            "DOCREFINERY_PRESIGNED_ENDPOINT does nothing without DOCREFINERY_PRESIGNED_DOWNLOADS; set both, or neither"
        )
    if settings.presigned_endpoint and settings.environ.get("AWS_ENDPOINT_URL_S3"):
        # It would beat any other endpoint.
        raise SettingsError("DOCREFINERY_PRESIGNED_ENDPOINT needs AWS_ENDPOINT_URL in place of AWS_ENDPOINT_URL_S3")


def _check_webhooks(settings: Settings) -> None:
    for number, key in enumerate(settings.secret_keys, 1):
        if not is_secret_key(key):
            # Not the value: it may be a key with a character too many.
            raise SettingsError(
                f"DOCREFINERY_SECRET_KEYS: key {number} is no Fernet key (32 bytes in URL-safe base64); make one with "
                "`openssl rand -base64 32 | tr +/ -_`"
            )
    for network in settings.webhook_allow_nets:
        try:
            ip_network(network)
        except ValueError as error:
            raise SettingsError(f"DOCREFINERY_WEBHOOK_ALLOW_NETS={network}: {error}") from None


def is_secret_key(text: str) -> bool:
    """Return whether a text is a Fernet key."""
    try:
        return re.fullmatch(r"[A-Za-z0-9_-]{43}=", text) is not None and len(base64.urlsafe_b64decode(text)) == 32
    except (binascii.Error, ValueError):
        return False
