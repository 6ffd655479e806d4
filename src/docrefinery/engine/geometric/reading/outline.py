"""The outline of a document (its bookmarks)."""

from itertools import islice

import pypdfium2 as pdfium

from docrefinery.engine.geometric.model import Entry

_MOST = 5_000
_DEEPEST = 10
_LONGEST = 500


def outline_of(document: pdfium.PdfDocument) -> list[Entry]:
    """Return the entries that have a title and lead to a page, in order; whoever calls holds pdfium's lock."""
    entries = []
    for bookmark in islice(document.get_toc(max_depth=_DEEPEST), _MOST):
        try:
            title, target = bookmark.get_title().strip(), bookmark.get_dest()
            page = target.get_index() if target is not None else None
        except (pdfium.PdfiumError, UnicodeError):
            continue
        if title and len(title) <= _LONGEST and page is not None:
            entries.append(Entry(title, bookmark.level, page + 1))
    return entries
