"""A document as an engine returns it."""

from docling_core.types.doc import DoclingDocument
from pydantic import SkipValidation

ValidDocument = SkipValidation[DoclingDocument]
"""One that is valid: for a serializer to look through all of it once more takes up to a quarter of an export's time."""
