"""Whether the bytes of an artifact are what its content type says."""

import io
import json
import re
import zipfile

from docrefinery.plugin.descriptors import Exporter

_LINES_OF_JSON = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")


def problem(exporter: Exporter, content: bytes) -> str:
    """Return what is wrong with an artifact, nothing where all is well or the type is none of those known here."""
    media_type, _, parameters = exporter.content_type.lower().partition(";")
    media_type = media_type.strip()
    is_text = media_type.startswith("text/") and "charset=" not in parameters
    checks = [
        (is_text or "charset=utf-8" in parameters.replace('"', ""), _utf8),
        (media_type == "application/json" or media_type.endswith("+json"), _json),
        (media_type in _LINES_OF_JSON, _lines),
        (media_type == "application/zip" or media_type.endswith("+zip"), _zip),
    ]
    return next((found for applies, check in checks if applies and (found := check(content))), "")


def _utf8(content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"{error}; encode text as UTF-8, or name another `charset` in `content_type`"
    return ""


def _json(content: bytes) -> str:
    try:
        json.loads(content, parse_constant=_no_json)
    except ValueError as error:
        return f"{error}; write one JSON value, for an empty document too"
    return ""


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is not JSON, although Python reads it")


def _lines(content: bytes) -> str:
    if content and not content.endswith(b"\n"):
        return "the last line does not end with a line feed"
    found = ((number, _json(line)) for number, line in enumerate(content.split(b"\n")[:-1], 1))
    return next((f"line {number}: {wrong}" for number, wrong in found if wrong), "")


def _zip(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if broken := archive.testzip():
                return f"the entry {broken} cannot be read"
    except zipfile.BadZipFile as error:
        return f"{error}; write an archive without entries when there is nothing to put in, and close it"
    if len(set(names)) != len(names):
        return "two entries have one name"
    if unsafe := [name for name in names if re.match(r"[/\\]|\w:", name) or ".." in re.split(r"[/\\]", name)]:
        return f"the entry {unsafe[0]!r} would be unpacked outside of the reader's folder"
    return ""
