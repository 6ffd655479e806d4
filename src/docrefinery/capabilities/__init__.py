"""What this machine can do beyond reading text that is in a PDF: known without importing Docling or any model.

The API asks before a job is accepted, the worker tells the API what it has, and the converter acts on it.
"""

from docrefinery.capabilities.features import Lack, lacking, without_models
from docrefinery.capabilities.languages import resolve
from docrefinery.capabilities.measures import Measure, missing
from docrefinery.capabilities.models import NONE, Hardware, Models, being_loaded, installed_models
from docrefinery.capabilities.ocr import Ocr, held_ocr, installed_ocr

__all__ = [
    "NONE",
    "Hardware",
    "Lack",
    "Measure",
    "Models",
    "Ocr",
    "being_loaded",
    "held_ocr",
    "installed_models",
    "installed_ocr",
    "lacking",
    "missing",
    "resolve",
    "without_models",
]
