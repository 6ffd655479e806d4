"""What this machine can do beyond reading text that is in a PDF: known without importing Docling or any model.

The API asks before a job is accepted, the worker tells the API what it has, and the converter acts on it.
"""

from docrefinery.capabilities.features import MODELS, Lack, lacking
from docrefinery.capabilities.languages import resolve
from docrefinery.capabilities.ocr import Ocr, installed_ocr

__all__ = ["MODELS", "Lack", "Ocr", "installed_ocr", "lacking", "resolve"]
