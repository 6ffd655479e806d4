"""``full_vlm``: everything there is to know: text, OCR, tables, and what the pictures show.

Needs, besides what ``structured`` needs, a picture description model (or an OpenAI-compatible endpoint that the
operator names) and a picture classification model.
"""

from docrefinery.plugin import Profile

FULL_VLM = Profile(
    name="full_vlm",
    summary="Highest fidelity: OCR, table structure, figures with their images, classified and described.",
    exports=("text", "markdown", "doctags", "chunks_json", "figures_zip"),
    options={
        "do_ocr": True,
        "do_table_structure": True,
        "do_picture_description": True,
        "do_picture_classification": True,
        "generate_picture_images": True,
        "images_scale": 2.0,
    },
)
