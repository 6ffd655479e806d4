"""Docling's Tesseract, which tells what it did not read."""

import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

from docling.datamodel.base_models import Page
from docling.datamodel.document import ConversionResult
from docling.models.stages.ocr.tesseract_ocr_cli_model import TesseractOcrCliModel
from msgspec import Struct

_DEFAULT, _SCRIPT_OF_DEFAULT = "eng", "Latin"
"""What Tesseract reads where no language is named, as Docling names none for a script without a model of its own."""


class Notes(Struct):
    """What happened while a document was read.

    :ivar languages: Tesseract's names of those that were read.
    :ivar failed: pages of which Tesseract did not read all, and why.
    :ivar unread_scripts: scripts without an installed language, and the pages that they are on.
    """

    languages: dict[str, None] = {}
    failed: dict[int, str] = {}
    unread_scripts: dict[str, list[int]] = {}


class TellingTesseract(TesseractOcrCliModel):
    """Reads as Docling does, and notes what Docling only logs."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.notes = Notes()
        self._page = 0

    def __call__(self, conv_res: ConversionResult, page_batch: Iterable[Page]) -> Iterator[Page]:
        """Read pages, each by itself."""
        for page in page_batch:
            self._page = page.page_no
            yield from super().__call__(conv_res, [page])

    def _run_tesseract(self, ifilename: str, osd: Any) -> Any:
        try:
            found = super()._run_tesseract(ifilename, osd)
        except subprocess.CalledProcessError as error:
            self.notes.failed[self._page] = f"Tesseract ended with {error.returncode}"
            raise
        if not self._auto_script:
            self.notes.languages.update(dict.fromkeys(self._native_codes))
        return found

    def _perform_osd(self, ifilename: str) -> Any:
        try:
            return super()._perform_osd(ifilename)
        except subprocess.CalledProcessError as error:
            # With an exit code it found too little to tell the script, which is no fault.
            if error.returncode < 0:
                self.notes.failed[self._page] = f"Tesseract was ended by signal {-error.returncode}"
            raise

    def _parse_language(self, df_osd: Any) -> str | None:
        code = super()._parse_language(df_osd)
        if code is not None:
            self.notes.languages[code] = None
            return code
        for script in df_osd.loc[df_osd["key"] == "Script"].value.tolist():
            self._note_script(script.strip())
        return None

    def _note_script(self, script: str) -> None:
        if script == _SCRIPT_OF_DEFAULT:
            self.notes.languages[_DEFAULT] = None
            return
        pages = self.notes.unread_scripts.setdefault(script, [])
        if self._page not in pages:
            pages.append(self._page)
            pages.sort()
