"""How a long document is parted, and which workers read pages alike."""

import hashlib
from collections.abc import Iterator
from importlib.metadata import version

import msgspec
from msgspec import Struct

import docrefinery
from docrefinery.capabilities import Ocr
from docrefinery.model import PAGES_TOGETHER


class _Sizes(Struct, frozen=True):
    """How large parts are, in groups of pages: large ones first, small ones last, so that none is waited for.

    :param share: of what is left, the part that is taken at once.
    """

    share: int
    least: int
    most: int


# Reading the text of so many pages takes some tenths of a second.
_PLAIN = _Sizes(share=3, least=1, most=8)
# Recognising a page takes seconds.
_RECOGNISED = _Sizes(share=8, least=1, most=4)


def ranges(first: int, last: int, *, recognises: bool) -> Iterator[tuple[int, int]]:
    """Yield the first and last page of each part of a document.

    :param first: number of the first page to convert.
    :param last: number of the last.
    :param recognises: whether pages may have to be recognised.
    """
    sizes = _RECOGNISED if recognises else _PLAIN
    while first <= last:
        # A part ends where pages that belong together do, whatever page the document is converted from.
        group = (first - 1) // PAGES_TOGETHER
        left = (last - 1) // PAGES_TOGETHER - group + 1
        groups = max(sizes.least, min(sizes.most, left // sizes.share))
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
