"""What every engine does around its pipeline: opening the file, running, and judging what came of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from docling.backend.pdf_backend import PdfDocumentBackend
from docling.datamodel.base_models import InputFormat
from docling.datamodel.document import ConversionResult, InputDocument
from docling.datamodel.progress import ConversionProgressEvent, PageCompletedProgress, ProgressReporter
from docling.datamodel.settings import DocumentLimits
from docling.pipeline.base_pipeline import ConvertPipeline
from docling_core.types.doc import DoclingDocument
from msgspec import Struct

from docrefinery.engine.preflight import Pages
from docrefinery.errors import ConversionFailed, InvalidPdf
from docrefinery.model import JobWarning

_REASONS_SHOWN = 3
_STARVED = ("MemoryError", "OutOfMemoryError", "can't allocate memory", "bad_alloc", "out of memory")
"""What Python, torch and C++ say when there is no memory left; Docling turns the error into a page's failure."""

Backend = TypeVar("Backend", bound=PdfDocumentBackend)


class Unhashed(InputDocument):
    """A file as Docling's pipelines take it, without its hash, which only a document's origin has."""

    def __init__(self, path_or_stream: Path, backend: type[PdfDocumentBackend], limits: DocumentLimits) -> None:
        # Past Docling's own, which hashes.
        super(InputDocument, self).__init__(
            file=path_or_stream, document_hash="", format=InputFormat.PDF, limits=limits
        )
        self._init_doc(backend, path_or_stream)
        if self.valid:
            assert isinstance(self._backend, backend)
            self.page_count = self._backend.page_count()


def opened(source: Path, pages: Pages, backend: type[Backend], *, hashed: bool = True) -> tuple[InputDocument, Backend]:
    """Return a file as Docling's pipelines take it, and its backend.

    :param hashed: false where the hash comes from elsewhere, or is not wanted, as of each of many parts.
    :raises InvalidPdf: if it cannot be read.
    """
    limits = DocumentLimits(page_range=(pages.first, pages.last))
    if hashed:
        document = InputDocument(path_or_stream=source, format=InputFormat.PDF, backend=backend, limits=limits)
    else:
        document = Unhashed(source, backend, limits)
    if not document.valid:
        raise InvalidPdf("the file cannot be read as a PDF")
    found = document._backend
    assert isinstance(found, backend)
    return document, found


def executed(
    pipeline: ConvertPipeline, document: InputDocument, on_page: Callable[[PageCompletedProgress], None]
) -> ConversionResult:
    """Run a pipeline.

    :param on_page: told of each page that the pipeline has done.
    :raises ConversionFailed: if the whole of it failed.
    :raises MemoryError: if there was no memory left.
    """

    def on_event(event: ConversionProgressEvent) -> None:
        if isinstance(event, PageCompletedProgress):
            on_page(event)

    try:
        result = pipeline.execute(document, raises_on_error=True, progress=ProgressReporter([on_event]))
    except RuntimeError as error:
        cause = error.__cause__ or error
        if isinstance(cause, MemoryError) or _starved(f"{type(cause).__name__}: {cause}"):
            raise MemoryError from error
        raise ConversionFailed(f"Docling failed: {type(cause).__name__}: {cause}") from error
    if any(_starved(error.error_message) for error in result.errors):
        raise MemoryError
    return result


def _starved(message: str) -> bool:
    return any(words in message for words in _STARVED)


class Failures(Struct, frozen=True):
    """Pages that are missing in a document, and why, each reason once."""

    pages: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The first reasons, for people."""
        return "; ".join(self.reasons[:_REASONS_SHOWN])


def judged(pages: Pages, result: ConversionResult, *, fail_on_partial: bool) -> Failures:
    """Return which pages are missing.

    :raises ConversionFailed: if nothing came of the document, or a page is missing and none may.
    """
    failures = Failures(
        tuple(sorted({error.page_no for error in result.errors if error.page_no is not None})),
        tuple(dict.fromkeys(error.error_message for error in result.errors)),
    )
    nothing = len(result.document.pages) == 0 or len(failures.pages) == pages.total
    if nothing or (failures.reasons and not failures.pages):
        raise ConversionFailed(
            f"no page could be converted ({failures.shown or 'Docling gave no reason'}); if viewers show it, print it "
            "to a new PDF and upload that",
            details={"failed_pages": list(failures.pages)},
        )
    if failures.pages and fail_on_partial:
        raise ConversionFailed(
            f"{len(failures.pages)} of {pages.total} pages could not be converted, and fail_on_partial is set "
            f"({failures.shown}); leave it out for what can be converted, or print the document to a new PDF",
            details={"failed_pages": list(failures.pages)},
        )
    return failures


def page_warnings(failures: Failures) -> list[JobWarning]:
    """Return what a job says of pages that are missing."""
    if not failures.pages:
        return []
    number = "1 page is" if len(failures.pages) == 1 else f"{len(failures.pages)} pages are"
    return [JobWarning("PAGES_FAILED", f"{number} missing: {failures.shown}")]


def script_warnings(scripts: Mapping[str, Sequence[int]]) -> list[JobWarning]:
    """Return what a job says of scripts that no OCR language is installed for, and the pages that they are on."""
    return [
        JobWarning(
            "OCR_SCRIPT_NOT_INSTALLED",
            f"text in the script {script} on {listed(pages)} was not read: no OCR language is installed for it",
        )
        for script, pages in scripts.items()
    ]


def named(document: DoclingDocument, name: str) -> None:
    """Give a document the name that its file had at the client."""
    document.name = Path(name).stem
    if document.origin is not None:
        document.origin.filename = name


def listed(pages: Sequence[int]) -> str:
    """Return page numbers in words."""
    shown = ", ".join(map(str, pages[:_REASONS_SHOWN]))
    more = len(pages) - _REASONS_SHOWN
    if len(pages) == 1:
        return f"page {shown}"
    return f"pages {shown} and {more} more" if more > 0 else f"pages {shown}"
