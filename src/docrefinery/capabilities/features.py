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


CLASSIFICATION = Lack(
    "PICTURE_CLASSIFICATION_NOT_AVAILABLE",
    f"a picture classification model: {DOWNLOAD}",
    "pictures are not classified",
)
DESCRIPTION = Lack(
    "PICTURE_DESCRIPTION_NOT_AVAILABLE",
    f"a picture description model: {DOWNLOAD}, or set DOCREFINERY_PICTURE_DESCRIPTION_URL to an OpenAI-compatible "
    "endpoint",
    "pictures are not described",
)
OCR = Lack("OCR_NOT_AVAILABLE", _TESSERACT, "text that is only in images is not in the result")


def without_models(models: Models) -> Lack:
    """Return what a job lacks that wants Docling's models and does not get them."""
    return Lack(
        "MODELS_NOT_INSTALLED",
        f"Docling's layout and table models ({models.problem or 'no worker has them'})",
        "layout and tables were recognised from the pages' geometry",
    )


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
        lacks.append(CLASSIFICATION)
    if options.get("do_picture_description") and not describes and "picture_description" not in models.held:
        lacks.append(DESCRIPTION)
    return lacks


def _languages(options: Mapping[str, Any], ocr: Ocr) -> list[Lack]:
    wanted = (options.get("ocr_options") or {}).get("lang") or []
    return [
        Lack("OCR_LANGUAGE_UNAVAILABLE", f"the OCR language {name!r} for {ocr.engine}", "jobs that ask for it fail")
        for name in wanted
        if resolve(str(name), ocr) is None
    ]
