"""The first half: pages of a PDF, one by one or several at a time."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pypdfium2 as pdfium
from docling.utils.locks import pypdfium2_lock

from docrefinery.engine.geometric.layout.layout import Layout, decode, encode
from docrefinery.engine.geometric.model import Entry
from docrefinery.engine.geometric.page import layout_of
from docrefinery.engine.geometric.reading.outline import outline_of
from docrefinery.engine.geometric.reading.page import read_page

_PAGES_A_TASK = 8


def read(
    source: Path, pages: Sequence[int] | None = None, *, tables: bool = True, processes: int = 1
) -> Iterator[Layout]:
    """Yield the layout of each page, in order.

    :param source: the PDF.
    :param pages: which, counted from 1; all by default.
    :param tables: look for tables; without, their text is lines in reading order.
    :param processes: how many read at a time. Each holds a few pages and no more.
    :raises pypdfium2.PdfiumError: if the file or a page cannot be opened.
    """
    if pages is None:
        with pypdfium2_lock, pdfium.PdfDocument(source) as document:
            pages = range(1, len(document) + 1)
    parts = [pages[at : at + _PAGES_A_TASK] for at in range(0, len(pages), _PAGES_A_TASK)]
    if processes < 2 or len(parts) < 2:
        yield from _read(source, pages, tables=tables)
        return
    # Spawned: pdfium is no library to fork a process with while another thread is in it.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[list[bytes]]] = deque()
        for part in parts:
            waiting.append(pool.submit(_read_encoded, source, part, tables=tables))
            # Whoever takes the pages sets the pace: no more is read ahead than is being read.
            if len(waiting) > processes:
                yield from map(decode, waiting.popleft().result())
        for task in waiting:
            yield from map(decode, task.result())


def read_outline(source: Path) -> list[Entry]:
    """Return the outline of a PDF.

    :raises pypdfium2.PdfiumError: if the file cannot be opened.
    """
    with pypdfium2_lock, pdfium.PdfDocument(source) as document:
        return outline_of(document)


def _read(source: Path, pages: Sequence[int], *, tables: bool) -> Iterator[Layout]:
    with pypdfium2_lock:
        document = pdfium.PdfDocument(source)
    try:
        for number in pages:
            with pypdfium2_lock:
                page = document[number - 1]
                try:
                    content = read_page(document, page, number)
                finally:
                    page.close()
            yield layout_of(content, tables=tables)
    finally:
        document.close()


def _read_encoded(source: Path, pages: Sequence[int], *, tables: bool) -> list[bytes]:
    return [encode(layout) for layout in _read(source, pages, tables=tables)]
