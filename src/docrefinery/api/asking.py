"""What a request asks of a document, as a job, a plan and an upload do: `options_json` and `profile`."""

from typing import Any

from docrefinery.api.bodies import Later
from docrefinery.api.deps import ApiRequest
from docrefinery.errors import InvalidOptions, RequestError
from docrefinery.services import options
from docrefinery.services.planning import Wanted


async def decoded(request: ApiRequest, profile: str | None, options_json: Any) -> Any:
    """Decode `options_json`, which may be text, or not be given.

    :raises InvalidOptions: if it cannot be read; it names an unknown profile as well.
    """
    try:
        return {} if options_json is None else options.decode(options_json)
    except InvalidOptions as error:
        wanted = Wanted(profile=profile or None)
        raise error.join(*await request.services.submissions.problems(request.user, wanted)) from None


async def problems(request: ApiRequest, profile: str | None, options_json: Any) -> list[RequestError]:
    """Return what these would be refused for, to be named by a refusal that is certain already."""
    try:
        wanted = Wanted(profile=profile or None, options=await decoded(request, profile, options_json))
    except InvalidOptions as error:
        return [error]
    return await request.services.submissions.problems(request.user, wanted)


def later(request: ApiRequest) -> Later:
    """Return what finds these problems in a body whose other fields are wrong."""

    async def find(given: dict[str, Any]) -> list[RequestError]:
        return await problems(request, given.get("profile"), given.get("options_json"))

    return find
