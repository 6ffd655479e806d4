"""Reading an upload's fields."""

from typing import Any
from uuid import UUID

from docrefinery.api.multipart import Form
from docrefinery.errors import FieldError, InvalidRequest
from docrefinery.services import options
from docrefinery.services.planning import Wanted

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off", ""})


def wanted(form: Form) -> Wanted:
    """Read the text fields of an upload.

    :raises InvalidRequest: naming every field that cannot be read.
    :raises InvalidOptions: if ``options_json`` is not JSON.
    """
    wrong: list[FieldError] = []

    def text(name: str) -> str:
        try:
            return form.text(name).strip()
        except UnicodeDecodeError:
            wrong.append(FieldError(f"/{name}", "is not UTF-8"))
            return ""

    ingest, external, profile, raw_options = (text(n) for n in ("ingest", "external_uuid", "profile", "options_json"))
    if ingest.lower() not in _TRUE | _FALSE:
        wrong.append(FieldError("/ingest", "is neither true nor false"))
    external_uuid = _uuid(external, wrong)
    if wrong:
        detail = "; ".join(f"`{error.pointer[1:]}` {error.detail}" for error in wrong)
        raise InvalidRequest(f"The form cannot be read: {detail}.", errors=wrong)
    decoded: Any = options.decode(raw_options)
    return Wanted(ingest=ingest.lower() in _TRUE, profile=profile or None, options=decoded, external_uuid=external_uuid)


def _uuid(text: str, wrong: list[FieldError]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        wrong.append(FieldError("/external_uuid", "is not a uuid"))
        return None
