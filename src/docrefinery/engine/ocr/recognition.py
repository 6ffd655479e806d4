"""Recognition of a document's pages: rendered one by one, read several at a time, put back into their places."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Semaphore

import pypdfium2.raw as pdfium_c
from docling.datamodel.base_models import Page
from docling.utils.locks import pypdfium2_lock
from docling_core.types.doc.page import TextCell

from docrefinery.engine.backend import PageBackend, cell_of
from docrefinery.engine.lines import HYPHEN, Line
from docrefinery.engine.ocr.base import OcrFailed, Reading, Recognizer
from docrefinery.engine.ocr.need import Region, regions
from docrefinery.engine.ocr.sheet import Sheet, render
from docrefinery.engine.paragraphs import paragraphs

_BACKGROUND = 0.75
"""Share of the page from which a bitmap under recognised text is the scan itself and no figure."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What recognition came to: the engine and its languages if it read anything, and what is to be told."""

    engine: dict[str, str]
    failures: dict[int, str]
    unread_scripts: dict[str, list[int]]


class Recognition:
    """Reads the pages of one document that need it.

    :param threads: pages read at a time; one more is held as a picture.
    :param full_page: read every page whole, whatever text it has.
    :param on_done: called, from any thread, when a page has been read.
    """

    def __init__(self, recognizer: Recognizer, *, threads: int, full_page: bool, on_done: Callable[[], None]) -> None:
        self._recognizer = recognizer
        self._full_page = full_page
        self._on_done = on_done
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ocr")
        self._room = Semaphore(threads + 1)
        self._tasks: list[tuple[int, Future[list[Reading]]]] = []

    def consider(self, page: Page, backend: PageBackend) -> bool:
        """Begin to read a page if it needs that, and return whether it does; waits while enough pages are in hand."""
        parts = self._parts(page, backend)
        if not parts:
            return False
        self._room.acquire()
        task = self._pool.submit(self._read, page, parts)
        task.add_done_callback(self._one_done)
        self._tasks.append((page.page_no, task))
        return True

    def finish(self) -> Summary:
        """Wait until every page has been read."""
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
        return Summary(engine, failures, scripts)

    def close(self) -> None:
        """Give up what has not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _parts(self, page: Page, backend: PageBackend) -> list[tuple[Region, Sheet]]:
        assert page.parsed_page is not None
        assert page.size is not None
        bitmaps = list(backend.get_bitmap_rects())
        with pypdfium2_lock:
            native = backend.native_page
            has_objects = pdfium_c.FPDFPage_CountObjects(native) > 0
            cells = page.parsed_page.textline_cells
            wanted = regions(page.size, cells, bitmaps, has_objects=has_objects, full_page=self._full_page)
            if not wanted:
                return []
            sheet = render(native, page.size)
        parts = [(region, sheet if region.whole else sheet.cut(region.box)) for region in wanted]
        return [(region, part) for region, part in parts if not part.empty]

    def _read(self, page: Page, parts: Sequence[tuple[Region, Sheet]]) -> list[Reading]:
        """Read a page and put what was read into it at once, so that nothing of its pictures is kept any longer."""
        try:
            readings = [self._recognizer.read(sheet.image, sheet.dpi) for _, sheet in parts]
            for (region, sheet), reading in zip(parts, readings, strict=True):
                _place(page, region, sheet, reading)
        except (MemoryError, OcrFailed):
            raise
        except Exception as error:
            # Whatever it was, it was on this page.
            raise OcrFailed(f"{self._recognizer.label} failed: {type(error).__name__}") from error
        return [dataclasses.replace(reading, lines=()) for reading in readings]

    def _one_done(self, task: Future[list[Reading]]) -> None:
        self._room.release()
        if not task.cancelled():
            self._on_done()


def _place(page: Page, region: Region, sheet: Sheet, reading: Reading) -> None:
    parsed = page.parsed_page
    assert parsed is not None
    read = [sheet.on_page(line, reading.rotation) for line in paragraphs(_hyphenated(reading.lines))]
    cells = [cell_of(index, line, confidence=reading.confidence) for index, line in enumerate(read)]
    if not region.whole:
        parsed.textline_cells = _inserted(parsed.textline_cells, cells)
    elif cells:
        parsed.textline_cells = cells
        area = _BACKGROUND * region.box.area()
        parsed.bitmap_resources = [
            bitmap for bitmap in parsed.bitmap_resources if bitmap.rect.to_bounding_box().area() < area
        ]


def _hyphenated(lines: Sequence[Line]) -> list[Line]:
    """Mark hyphens at which a word goes on in the next line, as pdfium marks them."""
    marked = list(lines)
    for index, (line, following) in enumerate(pairwise(lines)):
        text = line.text
        if text.endswith(("-", "\u2010")) and text[-2:-1].isalpha() and following.text[:1].islower():
            marked[index] = Line(text[:-1] + HYPHEN, line.left, line.top, line.right, line.bottom)
    return marked


def _inserted(cells: Sequence[TextCell], new: Sequence[TextCell]) -> list[TextCell]:
    """Put cells of a part of the page before the first cell that begins below theirs."""
    if not new:
        return list(cells)
    top = min(cell.rect.to_bounding_box().t for cell in new)
    at = next((i for i, cell in enumerate(cells) if cell.rect.to_bounding_box().t > top), len(cells))
    return [*cells[:at], *new, *cells[at:]]
