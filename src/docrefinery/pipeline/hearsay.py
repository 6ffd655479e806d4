"""What may be passed on of what is said in a child: texts that can be stored, codes and stages that are its own."""

from enum import Enum
from typing import Any

import msgspec

from docrefinery.errors import (
    ConversionFailed,
    EncryptedPdf,
    ExportFailed,
    FileTooLarge,
    InvalidPdf,
    ModelsUnavailable,
    OcrLanguageUnavailable,
    OutOfMemory,
    PageLimitExceeded,
    ScannerUnavailable,
)
from docrefinery.model import Stage
from docrefinery.pipeline.outcomes import Rejected
from docrefinery.pipeline.protocol import Failed, ProtocolError

LONGEST_TEXT = 2000
"""Characters of an exception or a warning that are worth keeping."""
_LEFT_OUT = dict.fromkeys([*range(32), *range(127, 160), *range(0xD800, 0xE000)])
for _kept in "\t\n":
    del _LEFT_OUT[ord(_kept)]
_STAGES = (Stage.CONVERTING, Stage.EXPORTING, Stage.CHUNKING)
_SCANNING = frozenset(error.error_code for error in (OutOfMemory, ScannerUnavailable))
_CONVERTING = frozenset(
    error.error_code
    for error in (
        *(ConversionFailed, EncryptedPdf, ExportFailed, FileTooLarge, InvalidPdf, ModelsUnavailable),
        *(OcrLanguageUnavailable, OutOfMemory, PageLimitExceeded),
    )
)


def storable(value: Any) -> Any:
    """Return a message, or a part of one, with texts as a database and a reader can take them.

    Libraries and plugins say what they like: a validation error quotes megabytes of its document. Long texts are cut;
    NUL, which PostgreSQL refuses, lone surrogates, which JSON does, and characters that control a terminal are left
    out.
    """
    match value:
        case str() if not isinstance(value, Enum):
            text = value if len(value) <= LONGEST_TEXT else f"{value[: LONGEST_TEXT - 1]}…"
            return text.translate(_LEFT_OUT)
        case dict():
            return {storable(name): storable(item) for name, item in value.items()}
        case list():
            return [storable(item) for item in value]
        case tuple():
            return tuple(storable(item) for item in value)
        case msgspec.Struct():
            changed = {name: storable(getattr(value, name)) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **changed)
        case _:
            return value


def rejected(failed: Failed, *, scanning: bool) -> Rejected:
    """Return how a job ends of which a child says that it failed; a code that is not a child's to give is replaced.

    :param scanning: whether it was to scan, and not to convert.
    """
    known = failed.code in (_SCANNING if scanning else _CONVERTING)
    return Rejected(failed.code if known else ConversionFailed.error_code, failed.message, failed.details)


def following(stage: Stage, before: Stage) -> Stage:
    """Return a stage that a child says it is at.

    :raises ProtocolError: if that is none of a child's, or comes before the stage that it was at ``before``.
    """
    if stage not in _STAGES or _STAGES.index(stage) < _STAGES.index(before):
        raise ProtocolError(f"the stage {stage} after {before}")
    return stage
