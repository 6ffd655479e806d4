"""Reading an upload's fields."""

from uuid import UUID

from docrefinery.api import asking
from docrefinery.api.deps import ApiRequest
from docrefinery.api.multipart import Form, refused
from docrefinery.errors import FieldError, InvalidRequest, RequestError
from docrefinery.services.planning import Wanted

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off", ""})


async def wanted(request: ApiRequest, form: Form) -> Wanted:
    """Read the text fields of an upload.

    :raises InvalidRequest: if the file is missing or a field cannot be read, naming every field that is wrong.
    :raises InvalidOptions: if ``options_json`` is not JSON.
    """
    refusals: list[RequestError] = [] if form.filename is not None else [refused("file", "is missing; it is the PDF")]
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
        refusals.append(InvalidRequest(f"The form cannot be read: {detail}.", errors=wrong))
    if refusals:
        raise refusals[0].join(*refusals[1:], *await asking.problems(request, profile, raw_options))
    decoded = await asking.decoded(request, profile, raw_options)
    return Wanted(ingest=ingest.lower() in _TRUE, profile=profile or None, options=decoded, external_uuid=external_uuid)


def _uuid(text: str, wrong: list[FieldError]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        wrong.append(FieldError("/external_uuid", "is not a uuid"))
        return None
