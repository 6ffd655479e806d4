"""What options ask for in vain."""

from typing import Any

import pytest

from docrefinery.capabilities import Ocr, lacking

OCR = Ocr("tesseract", "5", ("eng", "osd"))


@pytest.mark.parametrize(
    ("options", "ocr", "describes", "codes"),
    [
        ({}, None, False, []),
        ({"do_ocr": False, "do_table_structure": False}, None, False, []),
        ({"do_ocr": True}, OCR, False, []),
        ({"do_ocr": True}, None, False, ["OCR_NOT_AVAILABLE"]),
        ({"do_ocr": True, "ocr_options": {"lang": ["auto", "en"]}}, OCR, False, []),
        ({"do_ocr": True, "ocr_options": {"lang": ["fr"]}}, OCR, False, ["OCR_LANGUAGE_UNAVAILABLE"]),
        ({"do_ocr": False, "ocr_options": {"lang": ["fr"]}}, OCR, False, []),
        ({"do_table_structure": True}, OCR, False, []),
        ({"do_picture_classification": True}, OCR, True, ["PICTURE_CLASSIFICATION_NOT_AVAILABLE"]),
        ({"do_picture_description": True}, OCR, False, ["PICTURE_DESCRIPTION_NOT_AVAILABLE"]),
        ({"do_picture_description": True}, OCR, True, []),
    ],
)
def test_what_is_lacking(options: dict[str, Any], ocr: Ocr | None, describes: bool, codes: list[str]) -> None:
    lacks = lacking(options, ocr, describes=describes)
    assert [lack.code for lack in lacks] == codes
    assert all(lack.missing and lack.consequence for lack in lacks)
