"""What a converter is asked, what it says meanwhile, and every way its work can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from docrefinery.model import JobWarning, Stage
from docrefinery.settings import Engine, OcrEngine

Parts = Mapping[tuple[int, int], Path]
"""Files of what was read, by the numbers of their first and last page."""
NO_PARTS: Parts = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One conversion.

    :param source: the PDF; only read.
    :param name: its original file name, which Docling keeps as the document's origin.
    :param workdir: an existing folder of this task alone, where the artifacts are written.
    :param options: the effective options in the guide's and Docling's names; unknown ones are ignored.
    :param exports: kinds of the artifacts to write.
    :param content_types: media types that the exporters of these kinds declare; results are held to them.
    :param timeout_seconds: time after which the converter is killed; waiting for a warm one does not count.
    :param engine: ``geometric``, ``docling``, or ``auto`` for Docling's models where they are installed.
    :param ocr_engine: ``tesseract``, ``rapidocr`` or ``auto``.
    :param draws_layout: whether each page is drawn with what was recognised on it.
    :param parts: what was read of the document before: all of its pages, or nothing.
    :param processes: exporters that may work at a time.
    """

    source: Path
    name: str
    workdir: Path
    options: dict[str, object] = field(default_factory=dict)
    exports: tuple[str, ...] | list[str] = ()
    content_types: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 600
    engine: Engine = "auto"
    ocr_engine: OcrEngine = "auto"
    draws_layout: bool = False
    parts: Parts = field(default_factory=dict)
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """What the converter is doing, and of how many pages."""

    stage: Stage
    pages_done: int
    pages_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that was written to the task's folder; size and hash were taken by the parent."""

    kind: str
    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page's picture with what was recognised on it, a PNG file in the task's folder."""

    page: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """The document was converted and every export written.

    ``page_count`` is the document's, ``pages_total`` what was to be converted of it; ``partial`` says that
    ``failed_pages`` are missing. ``engine`` describes what converted it. ``chunk_ms`` is ``None`` without chunks.
    """

    page_count: int
    pages_total: int
    artifacts: tuple[Artifact, ...]
    convert_ms: int
    export_ms: int
    chunk_ms: int | None
    warnings: tuple[JobWarning, ...]
    engine: dict[str, str]
    partial: bool
    failed_pages: tuple[int, ...]
    drawings: tuple[Drawing, ...] = ()


@dataclass(frozen=True, slots=True)
class Long:
    """The document was not converted: its pages, from the first to the last one, are many, and can be shared."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The document cannot be converted, and another attempt would end the same; ``code`` is a job's error code."""

    code: str
    message: str
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The time was up and the converter was killed."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The converter died, or broke the protocol and was killed; ``stderr`` is the last it wrote there."""

    reason: str
    signal: int | None = None
    exit_code: int | None = None
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class Canceled:
    """The converter was killed on request."""


Outcome = Converted | Rejected | TimedOut | Crashed | Canceled


def timed_out(seconds: float) -> str:
    """Say that a conversion took longer than it may."""
    return f"The conversion took longer than {seconds:g} s and was stopped."
