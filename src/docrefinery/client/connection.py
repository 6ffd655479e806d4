"""Where the service is, and the key to it."""

import os
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from msgspec import Struct, structs

from docrefinery import __version__
from docrefinery.client.errors import ClientError, ConfigurationError

SERVER, API_KEY = "DOCREFINERY_SERVER", "DOCREFINERY_API_KEY"
"""The environment variables that stand in for arguments."""


class Patience(Struct, frozen=True):
    """For how many seconds in all one call waits between its attempts.

    ``unreachable``: while the service cannot be reached, or something before it answers for it. ``busy``: while it says
    429 or 503; its ``Retry-After`` is kept to, and a longer one than what is left is an error at once. ``told`` is
    called before each wait, with the reason and the seconds.
    """

    unreachable: float = 60.0
    busy: float = 60.0
    told: Callable[[ClientError, float], None] | None = None

    def within(self, seconds: float) -> "Patience":
        """Return a patience of no more than so many seconds."""
        return structs.replace(self, unreachable=min(self.unreachable, seconds), busy=min(self.busy, seconds))


class Connection(Struct, frozen=True):
    """A base URL and the headers of every request; the key is in there and nowhere else."""

    base_url: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"Connection({self.base_url!r})"


def connection(base_url: str | None, api_key: str | None, environ: Mapping[str, str] = os.environ) -> Connection:
    """Take what was given, else the environment's.

    :raises ConfigurationError: if either is missing or cannot be used; never with the key in it.
    """
    # What is given but empty is a mistake, and not to be made up for by another key or server.
    key = (environ.get(API_KEY, "") if api_key is None else api_key).strip()
    if not key:
        raise ConfigurationError(f"There is no API key: give `api_key`, or set {API_KEY}.")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigurationError("The API key has characters that no key has.")
    url = _base_url((environ.get(SERVER, "") if base_url is None else base_url).strip())
    return Connection(url, {"Authorization": f"Api-Key {key}", "User-Agent": f"docrefinery-client/{__version__}"})


def _base_url(text: str) -> str:
    """Return a URL without the ``/v1`` that the guide's has at its end."""
    if not text:
        raise ConfigurationError(
            f"There is no server: give `base_url`, or set {SERVER}, such as https://refinery.example."
        )
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        usable = usable and not ("@" in parts.netloc or parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "The server is not a URL like https://refinery.example, without a password or a query."
        )
    return text.rstrip("/").removesuffix("/v1").rstrip("/")
