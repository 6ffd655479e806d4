"""``ocr_only``: every page is read from its picture, whatever text the file has.

Needs an OCR engine: Tesseract where it is installed, else RapidOCR, which is always there.
"""

from docrefinery.plugin import Profile

OCR_ONLY = Profile(
    name="ocr_only",
    summary="Scanned PDFs: all text comes from OCR; no table structure, no work on images.",
    exports=("text", "markdown", "doctags"),
    options={
        "do_ocr": True,
        # "auto" is Tesseract's script detection; Docling 2.142 itself writes it as an empty list.
        "ocr_options": {"lang": ["auto"]},
        # Docling 2.142 calls it `mode=FULL_PAGE`.
        "force_full_page_ocr": True,
        "do_table_structure": False,
        "do_picture_description": False,
        "do_picture_classification": False,
    },
    engine="geometric",
)
