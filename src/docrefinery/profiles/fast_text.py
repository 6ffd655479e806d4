"""``fast_text``: the text that is in the PDF, and nothing that takes long."""

from docrefinery.plugin import Profile

FAST_TEXT = Profile(
    name="fast_text",
    summary="Born-digital PDFs, lowest latency: no OCR, no table structure, no work on images.",
    exports=("text", "markdown", "doctags"),
    options={
        "do_ocr": False,
        "do_table_structure": False,
        "do_picture_description": False,
        "do_picture_classification": False,
    },
    engine="geometric",
)
