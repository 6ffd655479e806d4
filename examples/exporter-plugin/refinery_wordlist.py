"""``wordlist``: the words of a document as CSV, the most frequent first."""

import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

from docrefinery.plugin import Exporter, hookimpl

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument


def write(document: "DoclingDocument", stream: BinaryIO) -> None:
    """Write one line a word: the word and how often it occurs."""
    words = Counter(word for item in document.texts for word in re.findall(r"\w+", item.text.lower()))
    table = io.StringIO()
    csv.writer(table).writerows([("word", "count"), *sorted(words.items(), key=lambda entry: (-entry[1], entry[0]))])
    stream.write(table.getvalue().encode())


@hookimpl
def docrefinery_exporters() -> list[Exporter]:
    """Return this plugin's one exporter."""
    return [
        Exporter(
            kind="wordlist",
            summary="The words of the document as CSV, the most frequent first.",
            content_type="text/csv; charset=utf-8",
            suffix=".words.csv",
            write=write,
        )
    ]
