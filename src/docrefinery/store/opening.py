"""Opening the storage that a URL names, with limits for how long it may keep us waiting."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from docrefinery.errors import StorageError
from docrefinery.store.refusals import refused

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

CONNECT = timedelta(seconds=5)
TRANSFER = timedelta(days=1)
"""For how long one answer may be read: a client may take its time with a large file."""
PROBE = timedelta(seconds=2.5)
"""Within which a look at whether the storage is there has to be over."""


class Access(Struct, frozen=True, kw_only=True):
    """How object storage is reached; credentials, region and endpoint come from the environment.

    :param allow_http: whether an endpoint may be without TLS.
    :param ca_file: PEM file of more certificates to trust.
    :param timeout_seconds: within which a request is answered, or the next bytes come. One that fails is tried again
        for half as long: then an upload is refused, and a job put off, which both come back.
    :param signing_endpoint: that of the URLs which are given to clients, if it is another one.
    """

    allow_http: bool = False
    ca_file: Path | None = None
    timeout_seconds: float = 30
    signing_endpoint: str = ""


def folder_of(url: str) -> Path | None:
    """Return the folder that a URL names, if it does."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def open_store(url: str, access: Access, *, probing: bool = False, signing: bool = False) -> ObjectStore:
    """Open a storage; object storage is not asked anything yet.

    :param probing: for a look at whether it is there, which is not tried again.
    :param signing: for URLs that are given to clients.
    :raises StorageError: if the folder cannot be made, or the URL, the file of certificates or what the environment
        says cannot be used.
    """
    if folder := folder_of(url):
        try:
            return LocalStore(folder, mkdir=True, automatic_cleanup=True)
        except (BaseError, OSError) as error:
            raise refused(f"The storage folder {folder} cannot be opened", error) from None
    client, retry = _client(access, probing=probing), _retry(access, probing=probing)
    try:
        if signing and access.signing_endpoint:
            endpoint = access.signing_endpoint.rstrip("/")
            return S3Store.from_url(url, config={"endpoint": endpoint}, client_options=client, retry_config=retry)
        return from_url(url, client_options=client, retry_config=retry)
    except (BaseError, ValueError) as error:
        raise StorageError(_unusable(str(error))) from None


def _client(access: Access, *, probing: bool) -> "ClientConfig":
    options: ClientConfig = {
        "allow_http": access.allow_http,
        "connect_timeout": CONNECT,
        "read_timeout": timedelta(seconds=access.timeout_seconds),
        "timeout": PROBE if probing else TRANSFER,
    }
    if access.ca_file is not None:
        try:
            options["root_certificate"] = access.ca_file.read_bytes()
        except OSError as error:
            raise StorageError(f"The certificates in {access.ca_file} cannot be read: {error.strerror}.") from None
    return options


def _retry(access: Access, *, probing: bool) -> "RetryConfig":
    if probing:
        return {"max_retries": 0}
    patience = timedelta(seconds=access.timeout_seconds / 2)
    return {"max_retries": 10, "retry_timeout": patience, "backoff": {"max_backoff": timedelta(seconds=3)}}


def _unusable(text: str) -> str:
    """Say what is wrong in the environment, and not in the client's words, which may hold a piece of a key."""
    for word, reason in {
        "Account must be specified": "set AZURE_STORAGE_ACCOUNT_NAME",
        "service account": "the Google service account's key cannot be read",
        "Unable to recognise URL": "use a form like s3://bucket/prefix",
        "certificate": "DOCREFINERY_STORAGE_CA_FILE is no PEM file of certificates",
    }.items():
        if word in text:
            return f"The storage cannot be opened: {reason}."
    return "The storage cannot be opened: its AWS_*, GOOGLE_* or AZURE_* variables cannot be used."
