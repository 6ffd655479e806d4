"""One long document, made of the pages of others."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import pypdfium2 as pdfium


def join_pages(paths: Sequence[Path], count: int, target: Path) -> int:
    """Write a file of the first ``count`` pages of files, which are repeated as often as that takes.

    Files with a page that cannot be copied are left out.

    :return: how many pages it has: ``count``, or none if no file is left.
    """
    with pdfium.PdfDocument.new() as whole:
        for path in cycle(filter(_copyable, paths)):
            with pdfium.PdfDocument(path) as source:
                whole.import_pages(source, list(range(min(len(source), count - len(whole)))))
            if len(whole) >= count:
                break
        whole.save(target)
        return len(whole)


def _copyable(path: Path) -> bool:
    """Say whether a file has pages, and all of them can be copied."""
    try:
        with pdfium.PdfDocument(path) as source, pdfium.PdfDocument.new() as copy:
            copy.import_pages(source)
            return len(copy) > 0
    except pdfium.PdfiumError:
        return False
