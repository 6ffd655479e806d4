"""``structured``: text, OCR where a page needs it, tables and layout.

Needs an OCR engine for pages that are pictures, and a table structure model.
"""

from docrefinery.plugin import Profile

STRUCTURED = Profile(
    name="structured",
    summary="Born-digital or scanned PDFs: OCR where a page needs it, table structure and layout, chunks.",
    exports=("text", "markdown", "doctags", "chunks_json"),
    options={
        "do_ocr": True,
        "do_table_structure": True,
        "generate_parsed_pages": True,
    },
)
