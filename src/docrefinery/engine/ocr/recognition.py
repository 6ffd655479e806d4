"""Recognition of a document's pages: rendered one by one, read several at a time, put back into their places."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Semaphore

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from docling.utils.locks import pypdfium2_lock

from docrefinery.engine.geometric.model import Page
from docrefinery.engine.ocr.base import OcrFailed, Reading, Recognizer
from docrefinery.engine.ocr.need import Region, regions
from docrefinery.engine.ocr.placing import place
from docrefinery.engine.ocr.sheet import Sheet, render
from docrefinery.model import PAGES_TOGETHER


@dataclass(frozen=True, slots=True)
class Summary:
    """What recognition came to: the engine and its languages if it read anything, and what is to be told.

    :ivar drawn: numbers of the pages that were drawn to be read, also of those that showed nothing then.
    """

    engine: dict[str, str]
    unread_scripts: dict[str, list[int]]
    drawn: set[int]


class Recognition:
    """Reads the pages of one document that need it.

    :param threads: pages read at a time; one more is held as a picture.
    :param full_page: read every page whole, whatever text it has.
    :param on_done: called, from any thread, when a page has been read.
    """

    def __init__(self, recognizer: Recognizer, *, threads: int, full_page: bool, on_done: Callable[[], None]) -> None:
        self._recognizer = recognizer
        self._together = -1
        self._full_page = full_page
        self._on_done = on_done
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ocr")
        self._room = Semaphore(threads + 1)
        self._tasks: list[tuple[int, Future[list[Reading]]]] = []
        self._drawn: set[int] = set()
        self.summary = Summary({}, {}, self._drawn)

    def consider(self, content: Page, page: pdfium.PdfPage) -> bool:
        """Begin to read a page if it needs that, and return whether it does; waits while enough pages are in hand."""
        parts = self._parts(content, page)
        if not parts:
            return False
        self._room.acquire()
        # What was learned of a document must not depend on whether it is read in one place or in several.
        if (together := (content.number - 1) // PAGES_TOGETHER) != self._together:
            self._together, self._recognizer = together, self._recognizer.afresh()
        task = self._pool.submit(self._read, self._recognizer, content, parts)
        task.add_done_callback(self._one_done)
        self._tasks.append((content.number, task))
        return True

    def finish(self) -> dict[int, str]:
        """Wait until every page has been read, and return why pages failed, by their numbers."""
        languages: dict[str, None] = {}
        failures: dict[int, str] = {}
        scripts: dict[str, list[int]] = {}
        for page_no, task in self._tasks:
            try:
                readings = task.result()
            except OcrFailed as error:
                failures[page_no] = f"text recognition failed: {error}"
                continue
            for reading in readings:
                languages |= dict.fromkeys(reading.languages)
            for script in dict.fromkeys(reading.script for reading in readings if reading.script):
                scripts.setdefault(script, []).append(page_no)
        engine = {"ocr": self._recognizer.label} if self._tasks else {}
        if languages:
            engine["ocr_languages"] = "+".join(languages)
        self.summary = Summary(engine, scripts, self._drawn)
        return failures

    def close(self) -> None:
        """Give up what has not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _parts(self, content: Page, page: pdfium.PdfPage) -> list[tuple[Region, Sheet]]:
        with pypdfium2_lock:
            has_objects = pdfium_c.FPDFPage_CountObjects(page) > 0
            wanted = regions(content, has_objects=has_objects, full_page=self._full_page)
            if not wanted:
                return []
            self._drawn.add(content.number)
            sheet = render(page)
        parts = [(region, sheet if region.whole else sheet.cut(region.box)) for region in wanted]
        return [(region, part) for region, part in parts if not part.empty]

    def _read(self, recognizer: Recognizer, page: Page, parts: Sequence[tuple[Region, Sheet]]) -> list[Reading]:
        """Read a page and put what was read into it at once, so that nothing of its pictures is kept any longer."""
        try:
            readings = [recognizer.read(sheet.image, sheet.dpi) for _, sheet in parts]
            for (region, sheet), reading in zip(parts, readings, strict=True):
                place(page, region, sheet, reading)
        except (MemoryError, OcrFailed):
            raise
        except Exception as error:
            # Whatever it was, it was on this page.
            raise OcrFailed(f"{recognizer.label} failed: {type(error).__name__}") from error
        return [dataclasses.replace(reading, lines=()) for reading in readings]

    def _one_done(self, task: Future[list[Reading]]) -> None:
        self._room.release()
        if not task.cancelled():
            self._on_done()
