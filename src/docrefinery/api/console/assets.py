"""The console's files: which there are, their types, and the hash that tells one build of them from another."""

import hashlib
from functools import cache
from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).parent / "static"
PAGE = "index.html"
BUILD_MARK = b"{build}"
"""Where the page names the folder of its build."""

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".ttf": "font/ttf",
}
OTHER_TYPE = "application/octet-stream"
"""Of licences too: nothing of a vendored folder is shown by a browser."""


class Asset(Struct, frozen=True):
    """A file of the console; ``sha256`` is its strong validator."""

    path: Path
    sha256: str

    @property
    def etag(self) -> str:
        """The strong entity tag."""
        return f'"{self.sha256}"'

    @property
    def content_type(self) -> str:
        """What a browser is to take it for."""
        return CONTENT_TYPES.get(self.path.suffix, OTHER_TYPE)

    def read(self) -> bytes:
        """Return its bytes; they are not kept in memory."""
        return self.path.read_bytes()


class Build(Struct, frozen=True):
    """All files as they are together: a page and modules of different versions never meet in a browser."""

    id: str
    page: bytes
    page_etag: str
    assets: dict[str, Asset]


@cache
def build() -> Build:
    """Look through the files, once a process and not before somebody opens the console: 40 ms."""
    assets = {
        path.relative_to(FOLDER).as_posix(): Asset(path, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file()
    }
    names = "".join(f"{name} {asset.sha256}\n" for name, asset in assets.items())
    build_id = hashlib.sha256(names.encode()).hexdigest()[:16]
    page = assets.pop(PAGE).read().replace(BUILD_MARK, build_id.encode())
    return Build(build_id, page, f'"{hashlib.sha256(page).hexdigest()}"', assets)
