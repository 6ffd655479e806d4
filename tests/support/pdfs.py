"""PDF files for tests, written byte by byte: the same on every machine, and none of them lies in the tree."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence

from PIL import Image

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_FILE_ID = bytes(range(16))
_LINE_HEIGHT = 14


def born_digital(pages: int = 1, text: str = "A plain page of a born-digital document.") -> bytes:
    """Return a document with ``text`` on each page, its lines as lines, under a heading with the page's number."""
    return _document([_text_page([f"Page {number}", "", *text.split("\n")]) for number in range(1, pages + 1)])


def with_figure(text: str = "A page with a figure.") -> bytes:
    """Return a page with text and one picture, four pixels that are drawn 200 points wide."""
    image = stream(bytes([200, 30, 30, 30, 200, 30, 30, 30, 200, 90, 90, 90]), _IMAGE)
    page = _text_page([text]) + b"q 200 0 0 200 72 300 cm /Im0 Do Q\n"
    return _document([page], resources=b"/XObject << /Im0 %d 0 R >>", extra=[image])


def with_picture(image: Image.Image, box: tuple[float, float, float, float], text: str) -> bytes:
    """Return a page with text at its top and a greyscale picture; ``box`` is left, bottom, right, top in points."""
    grey = image.convert("L")
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
    packed = stream(zlib.compress(grey.tobytes()), entries % grey.size + b" /Filter /FlateDecode")
    left, bottom, right, top = box
    drawn = b"q %f 0 0 %f %f %f cm /Im0 Do Q\n" % (right - left, top - bottom, left, bottom)
    return _document([drawn + _text_page([text])], resources=b"/XObject << /Im0 %d 0 R >>", extra=[packed])


def giant_page(points: int = 14_400, more: bytes = b"") -> bytes:
    """Return a page of so many points each way, by default as large as a PDF page may be, with one small word on it."""
    box = b"/MediaBox [0 0 %d %d] %s" % (points, points, more)
    return born_digital(1, "tiny").replace(b"/MediaBox [0 0 612 792]", box)


def encrypted(password: str, text: str = "A page behind a password.") -> bytes:
    """Return a document that is encrypted with RC4, 40 bits; with an empty password it opens for everybody."""
    return _document([_text_page([text])], password=password.encode())


def truncated() -> bytes:
    """Return the first half of a document."""
    whole = born_digital(pages=3)
    return whole[: len(whole) // 8]


def no_pages() -> bytes:
    """Return a valid document that has no page."""
    return _document([])


def broken_page(pages: int = 3) -> bytes:
    """Return a document whose page tree names the font as its first page; the others are fine."""
    whole = born_digital(pages)
    return whole.replace(b"/Kids [%d 0 R" % (4 + pages), b"/Kids [%*d 0 R" % (len(str(4 + pages)), 3))


def eicar() -> bytes:
    """Return the EICAR test file's 68 bytes, put together here so that no file in the tree is flagged."""
    return b"X5O!P%@AP[4" + rb"\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE" + b"!$H+H*"


def eicar_pdf(text: str = "A page of a document with the EICAR test file in it.") -> bytes:
    """Return a valid document with the EICAR test file in an uncompressed stream."""
    return _document([_text_page([text])], extra=[stream(eicar())])


def with_attachment(content: bytes, name: str = "attached.bin") -> bytes:
    """Return a page with a file attached, compressed as attachments are."""
    file = stream(zlib.compress(content), b"/Type /EmbeddedFile /Filter /FlateDecode")
    catalog = b"/Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /F (%s) /EF << /F %%d 0 R >> >>] >> >>"
    return _document([_text_page(["A page with an attachment."])], catalog=catalog % name.encode(), extra=[file])


def with_attachments(*specifications: bytes) -> bytes:
    """Return a page with attachments as they are given: dictionaries, or anything else."""
    names = b" ".join(b"(%d) %s" % numbered for numbered in enumerate(specifications))
    catalog = b"/Names << /EmbeddedFiles << /Names [%s] >> >>" % names
    return _document([_text_page(["A page with attachments."])], catalog=catalog)


def with_open_action(action: bytes) -> bytes:
    """Return a page whose document has an action for when it is opened."""
    return _document([_text_page(["A page with an action."])], catalog=b"/OpenAction << %s >>" % action)


def with_hidden_action(action: bytes, *objects: bytes) -> bytes:
    """Return a page whose document has an action, and objects from 91 on, in an object stream."""
    hidden = dict(enumerate((b"<< %s >>" % action, *objects), 90))
    return _with_hidden(b"/OpenAction 90 0 R", hidden, compressed=True)


def with_entry(catalog: bytes, *objects: bytes) -> bytes:
    """Return a page whose document has more in its catalog, and the objects from number 4 on."""
    return _document([_text_page(["A page with more to it."])], catalog=catalog, extra=objects)


def with_on_page(entry: bytes, *objects: bytes) -> bytes:
    """Return a page with more in its dictionary, such as annotations, and the objects from number 4 on."""
    return _document([_text_page(["A page with more to it."])], resources=b">> %s /X <<" % entry, extra=objects)


def with_script_by_name(*, compressed: bool) -> bytes:
    """Return a page whose document has a script among its names; ``compressed`` hides it from who looks at bytes."""
    action = b"<< /S /JavaScript /JS (app.alert\\('no'\\)) >>"
    return _with_hidden(b"/Names << /JavaScript << /Names [(a) 90 0 R] >> >>", {90: action}, compressed=compressed)


def with_launching_bookmark(*, compressed: bool) -> bytes:
    """Return a page whose document has an outline with an entry that launches a program."""
    hidden = {
        90: b"<< /Type /Outlines /First 91 0 R /Last 91 0 R /Count 1 >>",
        91: b"<< /Title (Go) /Parent 90 0 R /A << /S /Launch /F (calc.exe) >> >>",
    }
    return _with_hidden(b"/Outlines 90 0 R", hidden, compressed=compressed)


def _with_hidden(catalog: bytes, hidden: Mapping[int, bytes], *, compressed: bool) -> bytes:
    """Return a page with more objects, plain or in an object stream, which a cross-reference stream has to tell of."""
    page = _text_page(["A page with more to it."])
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Count 1 /Kids [5 0 R] >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: stream(page),
        5: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 3 0 R >> >> >>",
    }
    if not compressed:
        return file_of({**objects, **hidden})
    head, body = b"", b""
    for number, content in hidden.items():
        head += b"%d %d " % (number, len(body))
        body += content + b" "
    entries = b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (len(hidden), len(head))
    objects[6] = stream(zlib.compress(head + body), entries)
    written = bytearray(b"%PDF-1.7\n")
    rows = {0: (0, 0, 0)} | {number: (2, 6, at) for at, number in enumerate(hidden)}
    for number, content in objects.items():
        rows[number] = (1, len(written), 0)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = rows[7] = (1, len(written), 0)
    table = b"".join(
        bytes([kind]) + place.to_bytes(4, "big") + bytes([at]) for _, (kind, place, at) in sorted(rows.items())
    )
    index = b" ".join(b"%d 1" % number for number in sorted(rows))
    entries = b"/Type /XRef /Size 100 /Root 1 0 R /W [1 4 1] /Index [%s]" % index
    written += b"7 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(table, entries), start[1])
    return bytes(written)


def slow(pages: int = 3000) -> bytes:
    """Return a small file whose pages, all with one content, take minutes to convert."""
    words = "".join(
        f"BT /F1 6 Tf {36 + 60 * (index % 9)} {780 - 9 * (index // 9)} Td (word{index}) Tj ET\n" for index in range(720)
    )
    return _document([words.encode()] * pages, shared=True)


def memory_bomb(gibibytes: float = 1) -> bytes:
    """Return a file of a few kilobytes whose page inflates to text operators without end: only under a bound."""
    packer = zlib.compressobj(9)
    # A fully flushed block depends on nothing before it, so it can be repeated without compressing it again.
    operators = b"BT /F1 9 Tf 9 9 Td (boom) Tj ET\n" * 32768
    head = packer.compress(operators[:64]) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(operators) + packer.flush(zlib.Z_FULL_FLUSH)
    inflating = head + block * int(gibibytes * 1024) + packer.flush(zlib.Z_FINISH)
    return _document([zlib.compress(inflating, 9)], filters=b"/Filter [/FlateDecode /FlateDecode]")


_IMAGE = b"/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceRGB /BitsPerComponent 8"


def _text_page(lines: Sequence[str]) -> bytes:
    shown = b"".join(b"(%s) Tj T*\n" % escaped(line) for line in lines)
    return b"BT /F1 11 Tf %d TL 72 760 Td\n%sET\n" % (_LINE_HEIGHT, shown)


def escaped(line: str) -> bytes:
    """Return text as it stands between the parentheses of a string."""
    encoded = line.encode("cp1252", errors="replace")
    return encoded.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream with the entries of its dictionary."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def _document(
    contents: Sequence[bytes],
    *,
    resources: bytes = b"",
    catalog: bytes = b"",
    extra: Sequence[bytes] = (),
    filters: bytes = b"",
    shared: bool = False,
    password: bytes | None = None,
) -> bytes:
    """Lay out a document: catalog, page tree, font, then ``extra``, then contents and pages.

    A ``%d`` in ``resources`` and ``catalog`` stands for the number of the first extra object.
    """
    security = _Security(password) if password is not None else None
    streams = list(contents[:1] if shared else contents)
    first_content = 4 + len(extra)
    first_page = first_content + len(streams)
    pages = range(first_page, first_page + len(contents))
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % (catalog % 4 if b"%d" in catalog else catalog),
        2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), b" ".join(b"%d 0 R" % page for page in pages)),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    objects |= dict(enumerate(extra, 4))
    for number, content in enumerate(streams, first_content):
        objects[number] = stream(security.encrypt(number, content) if security else content, filters)
    for index, page in enumerate(pages):
        objects[page] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> %s >> >>"
        ) % (first_content + (0 if shared else index), resources % 4 if b"%d" in resources else resources)
    return file_of(objects, security.trailer if security else b"")


def file_of(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """Return a file of objects by their numbers, the catalog being the first."""
    written = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    table = bytearray(b"0000000000 65535 f \n")
    for number in sorted(objects):
        table += b"%010d 00000 n \n" % len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(written)
    written += b"xref\n0 %d\n%strailer\n" % (len(objects) + 1, table)
    written += b"<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(written)


class _Security:
    """The standard security handler, revision 2 (ISO 32000-1, 7.6.3)."""

    def __init__(self, password: bytes) -> None:
        user = (password + _PADDING)[:32]
        owner = _rc4(hashlib.md5((b"owner" + _PADDING)[:32]).digest()[:5], user)
        permissions = (-4).to_bytes(4, "little", signed=True)
        self._key = hashlib.md5(user + owner + permissions + _FILE_ID).digest()[:5]
        self.trailer = b"/ID [<%s> <%s>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (
            _FILE_ID.hex().encode(),
            _FILE_ID.hex().encode(),
            owner.hex().encode(),
            _rc4(self._key, _PADDING).hex().encode(),
        )

    def encrypt(self, number: int, content: bytes) -> bytes:
        """Encrypt the stream of an object."""
        salted = self._key + number.to_bytes(3, "little") + bytes(2)
        return _rc4(hashlib.md5(salted).digest()[:10], content)


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    result = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        result.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(result)
