"""Files that are told apart from noise, and the storage folder under them."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from docrefinery.settings import Settings
from tests.support.calls import stored_files

MARKER = b"nobody may read this sentence"
CHUNK = 64 * 1024


def a_file(size: int = 5 * CHUNK // 2) -> bytes:
    """Return a file that begins as a PDF does, has the marker in every kibibyte, and that no tenant has yet."""
    piece = MARKER.ljust(1024, b".")
    return (b"%PDF-1.7\n" + os.urandom(16) + piece * (size // 1024 + 1))[:size]


def folder(settings: Settings) -> Path:
    """Return the storage folder."""
    return Path(unquote(urlsplit(settings.storage).path))


def stored(settings: Settings) -> dict[str, bytes]:
    """Return what is in the storage."""
    return {name: (folder(settings) / name).read_bytes() for name in stored_files(settings)}


async def content(client: httpx.AsyncClient, document: int, **headers: str) -> httpx.Response:
    """Ask for a document's file."""
    return await client.get(f"/v1/documents/{document}/file/", headers=headers)
