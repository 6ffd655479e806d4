"""A document as pdfium writes it anew, to be looked through and not to be kept.

Pdfium has no way to the objects of a file that are no page, outline or name. What it saves has all that can be reached
from the catalog, out of object streams, decrypted, with each name spelt in the one plain way.
"""

import ctypes
import time
from collections.abc import Callable

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

_FLAGS = pdfium_c.FPDF_NO_INCREMENTAL | pdfium_c.FPDF_REMOVE_SECURITY
_WRITE_BLOCK = dict(pdfium_c.FPDF_FILEWRITE._fields_)["WriteBlock"]


def write_anew(document: pdfium.PdfDocument, take: Callable[[bytes], None], seconds: float) -> bool:
    """Write a document in pieces of some kilobytes; whoever calls holds pdfium's lock.

    :param take: gets each piece; must not raise.
    :param seconds: after which no more is written. The first piece may take longer, as may one large stream.
    :returns: whether that was all of it.
    """
    until = time.monotonic() + seconds

    def write(_: object, data: int, size: int) -> bool:
        take(ctypes.string_at(data, size))
        return time.monotonic() < until

    writer = pdfium_c.FPDF_FILEWRITE(version=1, WriteBlock=_WRITE_BLOCK(write))
    return bool(pdfium_c.FPDF_SaveAsCopy(document, writer, _FLAGS))
