"""A first look at a PDF before anything expensive: whether it can be opened and keeps to the limits."""

import mmap
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from docling.utils.locks import pypdfium2_lock

from docrefinery.engine.base import EngineOptions
from docrefinery.engine.inspection import inspect
from docrefinery.errors import ConversionFailed, EncryptedPdf, FileTooLarge, InvalidPdf, PageLimitExceeded
from docrefinery.model import JobWarning

LARGE = 2_000_000
"""Square points above which a page's size is kept, those of four sheets of A4: smaller ones are drawn at any scale."""
MOST_MISSING = 100
"""Pages of a damaged document that may be missing: the others are converted."""
_ENCRYPTED = {pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY}


@dataclass(frozen=True, slots=True)
class Pages:
    """How many pages a document has, the first and last one to convert, and what was seen besides.

    :ivar large: width and height in points of pages, by their numbers, that are large enough to be drawn smaller.
    :ivar warnings: what is to be told of the document.
    """

    count: int
    first: int
    last: int
    large: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    warnings: tuple[JobWarning, ...] = ()

    @property
    def total(self) -> int:
        """How many pages are to be converted."""
        return self.last - self.first + 1


def preflight(source: Path, options: EngineOptions, *, inspects: bool = True) -> Pages:
    """Return the pages to convert, and what is to be told before that.

    A ``page_range`` that reaches past the end is cut there; one that lies behind the end has nothing to convert.

    :param inspects: whether to look for what is to be told, which takes nearly all of the time.
    :raises JobError: if the file cannot be opened, has no pages or exceeds a limit.
    """
    _check_size(source, options.max_file_size or 0)
    with pypdfium2_lock, _opened(source) as document:
        pages = _chosen(len(document), options)
        told = _told(document, source) if inspects else ()
        return replace(pages, large=dict(_large(document, pages)), warnings=told)


def _chosen(count: int, options: EngineOptions) -> Pages:
    first, last = options.page_range or (1, count)
    if first > min(last, count):
        raise ConversionFailed(
            f"page_range is [{first}, {last}], but the document has {count} pages; ask for pages that exist",
            details={"page_count": count},
        )
    pages = Pages(count, first, min(last, count))
    if options.max_num_pages and pages.total > options.max_num_pages:
        raise PageLimitExceeded(
            f"{pages.total} pages are to be converted, max_num_pages allows {options.max_num_pages}; "
            "ask for fewer with page_range, or raise the limit",
            details={"page_count": count, "max_num_pages": options.max_num_pages},
        )
    return pages


def _check_size(source: Path, limit: int) -> None:
    size = source.stat().st_size
    if limit and size > limit:
        raise FileTooLarge(
            f"the file has {size} bytes, max_file_size allows {limit}",
            details={"size_bytes": size, "max_file_size": limit},
        )


@contextmanager
def _opened(source: Path) -> Iterator[pdfium.PdfDocument]:
    """Open a document that has pages."""
    try:
        # An empty user password needs no word from us: pdfium tries it by itself.
        document = pdfium.PdfDocument(source)
    except pdfium.PdfiumError as error:
        if error.err_code in _ENCRYPTED and _is_encrypted(source):
            raise EncryptedPdf("the PDF needs a password; remove it and upload the file again") from error
        raise InvalidPdf("the file cannot be read as a PDF") from error
    try:
        if len(document) < 1:
            raise InvalidPdf("the PDF has no pages")
        yield document
    finally:
        document.close()


def _large(document: pdfium.PdfDocument, pages: Pages) -> Iterator[tuple[int, tuple[float, float]]]:
    """Yield the sizes of large pages; pdfium tells them without looking at what is on a page.

    A page that is there takes it some 25 µs. One that is not takes a search through the whole tree, so that a file
    which only says that it has a million pages is not asked for all of them.

    :raises InvalidPdf: if more pages than :data:`MOST_MISSING` are not there.
    """
    missing = 0
    for number in range(pages.first, pages.last + 1):
        try:
            width, height = document.get_page_size(number - 1)
        except pdfium.PdfiumError as error:
            # Of a few, each will fail to be converted, and be told then.
            missing += 1
            if missing > MOST_MISSING:
                raise InvalidPdf(
                    f"the PDF says that it has {pages.count} pages, and lacks more than {MOST_MISSING} of them",
                    details={"page_count": pages.count},
                ) from error
            continue
        if width * height > LARGE:
            yield number, (width, height)


def _told(document: pdfium.PdfDocument, source: Path) -> tuple[JobWarning, ...]:
    """Return what is to be told of a document; a look that fails ends no job."""
    try:
        return tuple(inspect(document, source))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - files hold what nobody thought of
        traceback.print_exc()
        return ()


def _is_encrypted(source: Path) -> bool:
    """Of a document without pages pdfium reports the error of the document before it, so its word is not enough."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"/Encrypt") >= 0
