"""The plugin of everything that comes with DocumentRefinery; it enters through the same door as anybody's."""

from docrefinery.exporters.chunks_json import CHUNKS_JSON
from docrefinery.exporters.docling_json import DOCLING_JSON
from docrefinery.exporters.doctags import DOCTAGS
from docrefinery.exporters.figures_zip import FIGURES_ZIP
from docrefinery.exporters.markdown import MARKDOWN
from docrefinery.exporters.text import TEXT
from docrefinery.plugin import Exporter, Profile, Scanner, hookimpl
from docrefinery.profiles.fast_text import FAST_TEXT
from docrefinery.profiles.full_vlm import FULL_VLM
from docrefinery.profiles.ocr_only import OCR_ONLY
from docrefinery.profiles.structured import STRUCTURED
from docrefinery.scanners.basic import BASIC
from docrefinery.scanners.clamd import CLAMD


@hookimpl
def docrefinery_profiles() -> list[Profile]:
    """Return the built-in profiles."""
    return [FAST_TEXT, OCR_ONLY, STRUCTURED, FULL_VLM]


@hookimpl
def docrefinery_exporters() -> list[Exporter]:
    """Return the built-in exporters."""
    return [DOCLING_JSON, MARKDOWN, TEXT, DOCTAGS, CHUNKS_JSON, FIGURES_ZIP]


@hookimpl
def docrefinery_scanners() -> list[Scanner]:
    """Return the built-in scanners."""
    return [BASIC, CLAMD]
