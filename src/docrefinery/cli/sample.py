"""A small PDF to try the service with, written by hand (ISO 32000-1 §7.5)."""

LINES = (
    (22, 760, "DocumentRefinery"),
    (11, 730, "This page was made by the first start, so that there is something to upload."),
    (11, 714, "It is born digital: its text is read as it is, and no OCR is needed."),
    (14, 680, "What happens to it"),
    (11, 660, "It is scanned, converted, and exported as Docling JSON, markdown, text and DocTags."),
)


def sample_pdf() -> bytes:
    """Return a PDF of one page."""
    text = "\n".join(f"BT /F1 {size} Tf 72 {y} Td ({line}) Tj ET" for size, y, line in LINES).encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return b"%sxref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        body,
        len(objects) + 1,
        table,
        len(objects) + 1,
        len(body),
    )
