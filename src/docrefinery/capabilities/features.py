"""What options ask for that this version or this machine cannot do: one table for warnings, profiles and ``doctor``."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from docrefinery.capabilities.languages import resolve
from docrefinery.capabilities.models import DOWNLOAD, NONE, Models
from docrefinery.capabilities.ocr import Ocr

_TESSERACT = "an OCR engine: install Tesseract (Debian: tesseract-ocr)"


class Lack(Struct, frozen=True):
    """Something asked for that cannot be had here.

    ``code`` is that of the job's warning, ``missing`` what would have to be there, ``consequence`` what the result
    is without it.
    """

    code: str
    missing: str
    consequence: str


OCR = Lack("OCR_NOT_AVAILABLE", _TESSERACT, "text that is only in images is not in the result")


def without_models(models: Models) -> Lack:
    """Return what a job lacks that wants Docling's models and does not get them."""
    return Lack(
        "MODELS_NOT_INSTALLED",
        f"Docling's layout and table models ({models.problem or 'no worker has them'})",
        "layout and tables were recognised from the pages' geometry",
    )


def without_classification(models: Models) -> Lack:
    """Return what a job lacks that wants pictures classified."""
    return Lack(
        "PICTURE_CLASSIFICATION_NOT_AVAILABLE",
        f"Docling's picture classification model{_reason(models, 'picture_classification')}",
        "pictures are not classified",
    )


def without_description(models: Models) -> Lack:
    """Return what a job lacks that wants pictures described."""
    return Lack(
        "PICTURE_DESCRIPTION_NOT_AVAILABLE",
        f"Docling's picture description model{_reason(models, 'picture_description')}, or "
        "DOCREFINERY_PICTURE_DESCRIPTION_URL set to an OpenAI-compatible endpoint",
        "pictures are not described",
    )


def _reason(models: Models, part: str) -> str:
    """Return why a part is not there, where it is the only one that is not: of all of them the first lack speaks."""
    if not models.usable:
        return ""
    return f" ({models.broken.get(part, DOWNLOAD)})"


def lacking(options: Mapping[str, Any], ocr: Ocr | None, *, describes: bool, models: Models = NONE) -> list[Lack]:
    """Return what options ask for in vain, layout and tables apart.

    :param options: Docling's names: ``do_ocr``, ``do_table_structure`` …
    :param ocr: the OCR engine there is.
    :param describes: whether an endpoint for picture descriptions is set.
    :param models: those of Docling's models that convert; none where the geometric engine does.
    """
    lacks = []
    if options.get("do_ocr"):
        lacks += [OCR] if ocr is None else _languages(options, ocr)
    if options.get("do_picture_classification") and "picture_classification" not in models.held:
        lacks.append(without_classification(models))
    if options.get("do_picture_description") and not describes and "picture_description" not in models.held:
        lacks.append(without_description(models))
    return lacks


def _languages(options: Mapping[str, Any], ocr: Ocr) -> list[Lack]:
    wanted = (options.get("ocr_options") or {}).get("lang") or []
    return [
        Lack("OCR_LANGUAGE_UNAVAILABLE", f"the OCR language {name!r} for {ocr.engine}", "jobs that ask for it fail")
        for name in wanted
        if resolve(str(name), ocr) is None
    ]
