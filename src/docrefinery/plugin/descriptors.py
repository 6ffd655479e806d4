"""What a plugin returns from its hooks: descriptors that check themselves when they are made."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

from docrefinery.model import Stage

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _check_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{what} {name!r}: use lower case letters, digits and '_', starting with a letter (63 at most)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named way to convert.

    :param name: what requests send as ``profile``.
    :param summary: one sentence for people who choose.
    :param exports: artifact kinds that a job of this profile produces, besides ``docling_json``.
    :param options: pipeline options in Docling's names (``do_ocr``, ``images_scale`` …); what they leave open may come
        from the key, the tenant or the installation.
    :param engine: ``auto`` converts with Docling's models where they are installed, ``native`` never wants any.
    :raises ValueError: if the name or engine is malformed or an export is listed twice.
    """

    name: str
    summary: str
    exports: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    engine: Literal["auto", "native"] = "auto"

    def __post_init__(self) -> None:
        _check_name("profile", self.name)
        if self.engine not in ("auto", "native"):
            raise ValueError(f"profile {self.name!r}: the engine must be 'auto' or 'native'")
        if len(set(self.exports)) != len(self.exports):
            raise ValueError(f"profile {self.name!r} lists an export twice")


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
    :raises ValueError: if the kind, suffix, content type or stage is malformed.
    """

    kind: str
    summary: str
    content_type: str
    suffix: str
    write: "Callable[[DoclingDocument, BinaryIO], None]"
    stage: Literal[Stage.EXPORTING, Stage.CHUNKING] = Stage.EXPORTING
    needs: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_name("exporter", self.kind)
        if not re.fullmatch(r"\.[a-z0-9]+(\.[a-z0-9]+)*", self.suffix):
            raise ValueError(f"exporter {self.kind!r}: the suffix {self.suffix!r} is not like '.md'")
        if not re.fullmatch(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w-]+)*", self.content_type):
            raise ValueError(f"exporter {self.kind!r}: {self.content_type!r} is not a media type")
        if self.stage not in (Stage.EXPORTING, Stage.CHUNKING):
            raise ValueError(f"exporter {self.kind!r}: the stage must be EXPORTING or CHUNKING")


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
    :raises ValueError: if the name is malformed.
    """

    name: str
    summary: str
    create: Callable[[Mapping[str, str]], ScanEngine]
    runs_in: Literal["worker", "child"] = "worker"
    basic: bool = False

    def __post_init__(self) -> None:
        _check_name("scanner", self.name)
