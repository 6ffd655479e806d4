"""What a storage says no with, in words for people.

Never in its own: those repeat the request, with session tokens and signatures that are good for others too.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from obstore.exceptions import BaseError, NotFoundError

from docrefinery.errors import StorageError

_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_OS_ERROR = re.compile(r"\(os error (\d{1,5})\)")


class Refusal(Struct, frozen=True):
    """Why a storage did not do something; ``settled`` if nothing but the operator changes that."""

    reason: str
    settled: bool = True


class StorageRefused(StorageError):
    """The storage is there and will not do it until the operator changes something."""


_NO_BUCKET = Refusal("there is no bucket or container of this name")
_DENIED = Refusal("the credentials do not allow this; docs/operations.md lists the rights that are needed")
_EXPIRED = Refusal("the temporary credentials have expired")
_CLOCK = Refusal("this machine's clock is wrong: set it, by NTP for example")
_REGION = Refusal("the bucket is in another region: set AWS_REGION")
_BUSY = Refusal("it wants fewer requests at the moment", settled=False)
_WRONG_SECRET = Refusal("the secret key is wrong, or something between here and there changes requests")
_CODES = {
    "NoSuchBucket": _NO_BUCKET,
    "ContainerNotFound": _NO_BUCKET,
    "InvalidAccessKeyId": Refusal("it does not know this access key id"),
    "SignatureDoesNotMatch": _WRONG_SECRET,
    "AuthenticationFailed": _WRONG_SECRET,
    "AccessDenied": _DENIED,
    "AuthorizationFailure": _DENIED,
    "AuthorizationPermissionMismatch": _DENIED,
    "AllAccessDisabled": _DENIED,
    "ExpiredToken": _EXPIRED,
    "InvalidToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "SlowDown": _BUSY,
    "TooManyRequests": _BUSY,
    "ServerBusy": _BUSY,
    "QuotaExceeded": Refusal("it is full", settled=False),
}
_STATUSES = {
    "301": _REGION,
    "401": Refusal("the credentials are wrong"),
    "403": _DENIED,
    "429": _BUSY,
    "503": _BUSY,
}
# What the client says that never got an answer of the storage itself.
_WORDS = {
    "without LOCATION": _REGION,
    "latest/api/token": Refusal("no credentials are set, and this machine has no role to take them from"),
    "latest/meta-data": Refusal("no credentials are set, and this machine's role gives none"),
    "computeMetadata": Refusal("no credentials are set, and this machine has no service account"),
    "metadata/identity": Refusal("no credentials are set, and this machine has no managed identity"),
    "BadScheme": Refusal("its endpoint begins with http:// and AWS_ALLOW_HTTP is not set to true"),
    "UnknownIssuer": Refusal("its certificate is of an unknown authority: set DOCREFINERY_STORAGE_CA_FILE"),
    "InvalidCertificate": Refusal("its certificate is not good for the endpoint's name or this time"),
    "InvalidContentType": Refusal("its endpoint does not speak TLS: it may have to begin with http://"),
    "dns error": Refusal("the name of its endpoint is unknown", settled=False),
    "ConnectionRefused": Refusal("nobody listens at its endpoint", settled=False),
    "TimedOut": Refusal("it does not answer in time", settled=False),
    "kind: Timeout": Refusal("it does not answer in time", settled=False),
    "kind: Connect": Refusal("its endpoint cannot be reached", settled=False),
    "HTTP error": Refusal("it cannot be reached, or the connection to it broke", settled=False),
}


def refusal_of(error: Exception) -> Refusal:
    """Say why a storage refused."""
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    if code and code[1] in _CODES:
        return _CODES[code[1]]
    for word, refusal in _WORDS.items():
        if word in text:
            return refusal
    if status:
        shown = f"HTTP {status[1]}" + (f", {code[1]}" if code else "")
        return _STATUSES.get(status[1], Refusal(f"it answers {shown}", settled=False))
    if number := _OS_ERROR.search(text):
        return Refusal(os.strerror(int(number[1])), settled=False)
    if isinstance(error, OSError) and error.errno:
        return Refusal(os.strerror(error.errno), settled=False)
    return Refusal(type(error).__name__, settled=False)


def refused(what: str, error: Exception) -> StorageError:
    """Return what to raise, with ``from None``: a sentence about what was not done, and the reason."""
    refusal = refusal_of(error)
    kind = StorageRefused if refusal.settled else StorageError
    return kind(f"{what}: {refusal.reason}.")


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Raise the storage's errors as ours: a sentence about what was not done, and the reason."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise refused(what, error) from None


def says_missing(error: Exception) -> bool:
    """Whether an error says that there is no such blob, and not that there is no storage."""
    return isinstance(error, NotFoundError | FileNotFoundError) and refusal_of(error) is not _NO_BUCKET
