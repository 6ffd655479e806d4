"""The seam between the pipeline and whatever converts: what an engine is given and what it returns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from docrefinery.model import JobWarning
from docrefinery.settings import OcrEngine

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument

    from docrefinery.engine.preflight import Pages

OnPage = Callable[[int, int], None]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Described:
    """What a model says of a picture, or why it says nothing."""

    text: str | None = None
    problem: str = ""


Describe = Callable[[Iterable[bytes]], list[Described]]
"""Has pictures (PNG or JPEG) described, in their order."""


class OcrLanguages(Struct, frozen=True):
    """Docling's ``ocr_options``, as far as they are understood here."""

    lang: tuple[str, ...] = ("auto",)


class EngineOptions(Struct, frozen=True, kw_only=True):
    """What of a job's options concerns an engine, in Docling's names; the others are ignored here.

    ``None`` is "not said". The time limit is not among them: it is the parent's, which kills the process.
    """

    max_num_pages: int | None = None
    max_file_size: int | None = None
    page_range: tuple[int, int] | None = None
    images_scale: float | None = None
    generate_parsed_pages: bool = False
    generate_picture_images: bool = False
    fail_on_partial: bool | None = None
    do_ocr: bool = False
    ocr_options: OcrLanguages = OcrLanguages()
    force_full_page_ocr: bool = False
    do_table_structure: bool = False
    do_picture_description: bool = False
    do_picture_classification: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """What an engine may use besides the file.

    :param ocr_engine: which OCR engine, or ``auto``.
    :param ocr_threads: pages recognised at a time.
    :param describe: has pictures described by somebody else; ``None`` where nobody is named for it.
    :param describer: that one's name.
    """

    ocr_engine: OcrEngine = "auto"
    ocr_threads: int = 1
    describe: Describe | None = None
    describer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineResult:
    """A converted document.

    :param document: what the exporters get.
    :param page_count: pages of the file.
    :param pages_total: pages that were to be converted.
    :param failed_pages: those of them that are missing in the document.
    :param warnings: what the user should know although nothing failed.
    :param engine: what did it, as shown in the job.
    """

    document: "DoclingDocument"
    page_count: int
    pages_total: int
    failed_pages: tuple[int, ...]
    warnings: tuple[JobWarning, ...]
    engine: dict[str, str]


class TooLarge(Exception):
    """Pages are larger than an engine can have them drawn; another may do without.

    :param pages: their numbers.
    """

    def __init__(self, pages: Sequence[int]) -> None:
        super().__init__()
        self.pages = tuple(pages)


class Meanwhile(Protocol):
    """Has work done while something else is, in another process if there is one for it, else when it is asked for."""

    def later(self, work: Callable[[], Found], kind: type[Found]) -> Callable[[], Found]:
        """Note work that is to be done, and return what asks for its result.

        :param work: done after what was noted before it.
        :param kind: of its result, which msgspec can encode.
        """

    def begin(self) -> None:
        """Begin; what the work needs must not change any more until it is asked for."""


class Engine(Protocol):
    """Something that makes a document of a PDF."""

    def convert(self, source: Path, name: str, options: EngineOptions, on_page: OnPage, aid: Help) -> EngineResult:
        """Convert a file.

        :param source: the PDF.
        :param name: its original file name.
        :param on_page: told pages done and pages in all, after each page, from any thread.
        :param aid: what may be used besides the file.
        :raises JobError: if the document cannot be converted.
        :raises TooLarge: if it has pages that this engine cannot convert.
        """


@runtime_checkable
class Parting(Engine, Protocol):
    """An engine that can read a document's pages in several places and make it of them in one.

    What it makes is what :meth:`~Engine.convert` makes, to the byte, if no part begins but at the first page or after a
    multiple of :data:`~docrefinery.model.PAGES_TOGETHER`.
    """

    def read_pages(self, source: Path, pages: "Pages", options: EngineOptions, on_page: OnPage, aid: Help) -> bytes:
        """Read some pages, and return what was read; the document may stay open until :meth:`forget`.

        :param source: the PDF.
        :param pages: which.
        :param on_page: as of a conversion.
        :param aid: as of a conversion.
        :raises JobError: if the document cannot be read.
        """

    def put_together(
        self,
        source: Path,
        name: str,
        options: EngineOptions,
        parts: Mapping[tuple[int, int], Path],
        meanwhile: Meanwhile,
        aid: Help,
    ) -> EngineResult:
        """Make a document of its pages; the file may stay open until :meth:`forget`.

        :param source: the PDF.
        :param name: its original file name.
        :param parts: files of what :meth:`read_pages` returned, by the numbers of the first and the last page.
        :param meanwhile: does what needs the pages or the file alone.
        :param aid: as of a conversion.
        :raises JobError: if that is no document, or the parts are not what they should be.
        """

    def forget(self) -> None:
        """Close the document that pages were read of or that was made of them, if it is open."""
