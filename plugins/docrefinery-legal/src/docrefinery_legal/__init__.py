"""``legal``: contracts, judgments and filings, born-digital, scanned, or some pages of each."""

from docrefinery.plugin import Profile, hookimpl

LEGAL = Profile(
    name="legal",
    summary="Contracts, judgments and filings: complete or failed, OCR where a page needs it, tables, chunks, figures.",
    exports=("markdown", "text", "doctags", "chunks_json", "figures_zip"),
    options={
        # Signed contracts are a mix: text from a word processor, and scanned pages with signatures and annexes.
        "do_ocr": True,
        # Schedules of fees, price lists, lists of parties.
        "do_table_structure": True,
        # Seals, signatures and exhibits, at 144 dpi: enough to read a stamp.
        "generate_picture_images": True,
        "images_scale": 2.0,
        # What a model says about a picture is no part of the record.
        "do_picture_description": False,
        "do_picture_classification": False,
        # A contract with a page missing must not pass for the contract.
        "fail_on_partial": True,
    },
)


@hookimpl
def docrefinery_profiles() -> list[Profile]:
    """Return this plugin's one profile."""
    return [LEGAL]
