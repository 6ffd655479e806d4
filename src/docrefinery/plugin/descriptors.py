"""What a plugin returns from its hooks: descriptors that check themselves when they are made."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

from docrefinery.model import Stage
from docrefinery.plugin import checks

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named way to convert.

    :param name: what requests send as ``profile``.
    :param summary: one sentence for people who choose.
    :param exports: artifact kinds that a job of this profile produces, besides ``docling_json``.
    :param options: pipeline options in Docling's names (``do_ocr``, ``images_scale`` …); what they leave open may come
        from the key, the tenant or the installation.
    :param engine: ``auto`` converts with Docling's models where they are installed, ``geometric`` never wants any.
    :raises ValueError: if a field is malformed or an export is listed twice.
    """

    name: str
    summary: str
    exports: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    engine: Literal["auto", "geometric"] = "auto"

    def __post_init__(self) -> None:
        checks.check_name("profile", self.name)
        what = f"profile {self.name!r}"
        checks.check_summary(what, self.summary)
        checks.check_exports(what, self.exports)
        checks.check_options(what, self.options)
        if self.engine not in ("auto", "geometric"):
            raise ValueError(f"{what}: the engine must be 'auto' or 'geometric'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """A way to write a converted document as one artifact.

    :param kind: the artifact's kind, valid in ``exports`` as soon as the plugin is installed.
    :param summary: one sentence for people who choose.
    :param content_type: media type of the artifact (RFC 9110 §8.3).
    :param suffix: what the artifact's file name ends in, the dot included.
    :param write: writes the document to a binary stream. It runs in the converter process, without network, once a
        job; what it raises ends the job as ``EXPORT_FAILED`` with the exception's text.
    :param stage: the stage under which its time is counted: ``EXPORTING``, or ``CHUNKING`` for chunks.
    :param needs: pipeline options that must hold for the export to have its input, for example
        ``{"generate_picture_images": True}``.
    :param cost: how long it takes, roughly, where the plain text takes 1: of those that write side by side, those that
        take long begin first.
    :raises ValueError: if a field is malformed, or ``write`` does not take a document and a stream.
    """

    kind: str
    summary: str
    content_type: str
    suffix: str
    write: "Callable[[DoclingDocument, BinaryIO], None]"
    stage: Literal[Stage.EXPORTING, Stage.CHUNKING] = Stage.EXPORTING
    needs: Mapping[str, object] = field(default_factory=dict)
    cost: float = 1.0

    def __post_init__(self) -> None:
        checks.check_name("exporter", self.kind)
        what = f"exporter {self.kind!r}"
        checks.check_summary(what, self.summary)
        if not re.fullmatch(r"\.[a-z0-9]+(\.[a-z0-9]+)*", str(self.suffix)):
            raise ValueError(f"{what}: the suffix {self.suffix!r} is not like '.md'")
        if not re.fullmatch(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w-]+)*", str(self.content_type)):
            raise ValueError(f"{what}: {self.content_type!r} is not a media type")
        checks.check_callable(what, "write", self.write, "document", "stream")
        checks.check_options(what, self.needs)
        if self.stage not in (Stage.EXPORTING, Stage.CHUNKING):
            raise ValueError(f"{what}: the stage must be EXPORTING or CHUNKING")
        checks.check_positive(what, "cost", self.cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """The scanner found nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Infected:
    """The scanner recognised ``signature`` (the engine's own name for it)."""

    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscannable:
    """The engine was reached but will not judge this file, for example because of its own size limits."""

    reason: str


Verdict = Clean | Infected | Unscannable


class ScannerDown(Exception):
    """The engine cannot be reached or did not answer: the job waits and is scanned later."""


class ScanEngine(Protocol):
    """A scanner that is ready to judge files."""

    def scan(self, path: Path) -> Verdict:
        """Judge the file at ``path``; raises :class:`ScannerDown` when the engine cannot be reached."""

    def check(self) -> None:
        """Return if the engine can be reached, else raise :class:`ScannerDown`; ``/readyz`` asks this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """A malware scanner.

    :param name: what ``DOCREFINERY_SCANNER`` selects.
    :param summary: one sentence for operators.
    :param create: makes the engine, once a process, from the process's environment variables (an empty mapping in the
        converter process, which has none).
    :param runs_in: ``"worker"`` for a scanner that only sends the bytes to a service, ``"child"`` for one that parses
        them itself: untrusted files are parsed only in the converter process, which has no network.
    :param basic: true if it recognises only the most obvious threats; jobs then carry a warning.
    :raises ValueError: if a field is malformed, or ``create`` does not take the environment variables.
    """

    name: str
    summary: str
    create: Callable[[Mapping[str, str]], ScanEngine]
    runs_in: Literal["worker", "child"] = "worker"
    basic: bool = False

    def __post_init__(self) -> None:
        checks.check_name("scanner", self.name)
        what = f"scanner {self.name!r}"
        checks.check_summary(what, self.summary)
        checks.check_callable(what, "create", self.create, "environ")
        if self.runs_in not in ("worker", "child"):
            raise ValueError(f"{what}: runs_in must be 'worker' or 'child', not {self.runs_in!r}")
