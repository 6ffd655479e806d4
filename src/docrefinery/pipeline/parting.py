"""How a long document is parted, and which workers read pages alike."""

import hashlib
from collections.abc import Iterator
from importlib.metadata import version

import msgspec
from msgspec import Struct

import docrefinery
from docrefinery.capabilities import Ocr
from docrefinery.model import PAGES_TOGETHER

_SHARE = 3
"""Of what is left, the part that is taken at once: large ranges first, small ones last, so that none is waited for."""
_MOST = 8
_LEAST = 3
"""In pages that belong together; reading the text of so many takes some tenths of a second."""
_RECOGNISED_SHARE = 8
_RECOGNISED_MOST = 4
"""Where pages may have to be recognised, which takes seconds each; the last parts are as small as can be."""


def ranges(first: int, last: int, *, recognises: bool) -> Iterator[tuple[int, int]]:
    """Yield the first and last page of each part of a document.

    :param first: number of the first page to convert.
    :param last: number of the last.
    :param recognises: whether pages may have to be recognised.
    """
    while first <= last:
        # A part ends where pages that belong together do, whatever page the document is converted from.
        group = (first - 1) // PAGES_TOGETHER
        left = (last - 1) // PAGES_TOGETHER - group + 1
        if recognises:
            groups = max(1, min(_RECOGNISED_MOST, left // _RECOGNISED_SHARE))
        else:
            groups = max(_LEAST, min(_MOST, left // _SHARE))
        end = min(last, (group + groups) * PAGES_TOGETHER)
        yield first, end
        first = end + 1


class Readers(Struct, frozen=True):
    """What a worker says of itself so that pages are read by workers that read them alike.

    :param plain: of pages whose text is in the file.
    :param recognising: of pages that may have to be recognised.
    """

    plain: str
    recognising: str

    @classmethod
    def of(cls, ocr: Ocr | None) -> "Readers":
        """Return those of this worker, whose OCR engine is ``ocr``."""
        plain = f"{docrefinery.__version__} docling-slim {version('docling-slim')} pypdfium2 {version('pypdfium2')}"
        digest = hashlib.sha256(msgspec.json.encode(ocr)).hexdigest()[:16]
        return cls(plain, f"{plain} ocr {digest}")

    def for_options(self, options: dict[str, object]) -> str:
        """Return which of them a job with these options wants."""
        return self.recognising if options.get("do_ocr") else self.plain

    @property
    def all(self) -> tuple[str, str]:
        """Both."""
        return self.plain, self.recognising
