"""What every PDF file is made of, byte by byte."""

from collections.abc import Mapping


def escaped(line: str) -> bytes:
    """Return text as it stands between the parentheses of a string."""
    encoded = line.encode("cp1252", errors="replace")
    return encoded.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream with the entries of its dictionary."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def file_of(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """Return a file of numbered objects, the first of which is the catalog."""
    written = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    table = bytearray(b"0000000000 65535 f \n")
    for number in sorted(objects):
        table += b"%010d 00000 n \n" % len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(written)
    written += b"xref\n0 %d\n%strailer\n" % (len(objects) + 1, table)
    written += b"<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(written)
