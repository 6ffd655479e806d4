"""OCR languages as requests write them, and as engines name them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rapidocr
from hypothesis import given, strategies as st

from docrefinery.capabilities import Ocr, resolve
from docrefinery.capabilities.languages import script_of, shown
from docrefinery.capabilities.ocr import PP_OCR_LANGUAGES

TESSERACT = Ocr(
    "tesseract", "5.3.0", ("chi_sim", "chi_tra", "deu", "eng", "nor", "osd", "script/Latin", "srp", "srp_latn")
)
PP_OCR = Ocr("rapidocr", "3", PP_OCR_LANGUAGES)


@pytest.mark.parametrize(
    ("asked", "tesseract", "pp_ocr"),
    [
        ("auto", "auto", "auto"),
        (" Auto ", "auto", "auto"),
        ("en", "eng", "en"),
        ("eng", "eng", "en"),
        ("en-US", "eng", "en"),
        ("EN_gb", "eng", "en"),
        ("de", "deu", "de"),
        ("ger", "deu", "de"),
        ("deu", "deu", "de"),
        ("zh", "chi_sim", "ch"),
        ("zh-Hans", "chi_sim", "ch"),
        ("zh-TW", "chi_tra", "chinese_cht"),
        ("chi_tra", "chi_tra", "chinese_cht"),
        ("sr", "srp", None),
        ("sr-Latn", "srp_latn", "rs_latin"),
        ("nb", "nor", "no"),
        ("ja", None, "japan"),
        ("script/Latin", "script/Latin", None),
        ("fr", None, "fr"),
        ("de-Latf", None, None),
        ("osd", None, None),
        ("ru", None, None),
        ("klingon", None, None),
        ("../../etc/passwd", None, None),
        ("eng+deu", None, None),
        ("", None, None),
    ],
)
def test_a_language_is_understood_in_every_usual_spelling(
    asked: str, tesseract: str | None, pp_ocr: str | None
) -> None:
    assert resolve(asked, TESSERACT) == tesseract
    assert resolve(asked, PP_OCR) == pp_ocr


@given(st.text(max_size=40))
def test_whatever_is_asked_comes_out_as_an_installed_language_or_none(asked: str) -> None:
    for ocr in (TESSERACT, PP_OCR):
        found = resolve(asked, ocr)
        assert found is None or found in shown(ocr)


def test_every_language_that_is_shown_can_be_asked_for() -> None:
    for ocr in (TESSERACT, PP_OCR):
        assert [resolve(code, ocr) for code in shown(ocr)] == list(shown(ocr))


@pytest.mark.parametrize(
    ("code", "script"),
    [("eng", "Latn"), ("rus", "Cyrl"), ("jpn_vert", "Jpan"), ("chi_tra", "Hant"), ("srp_latn", "Latn"), ("equ", None)],
)
def test_script_of_a_tesseract_code(code: str, script: str | None) -> None:
    assert script_of(code) == script


def test_languages_of_pp_ocr_are_those_of_the_model_in_the_wheel() -> None:
    listed: Mapping[str, Any] = msgspec.yaml.decode(
        Path(rapidocr.__file__).with_name("default_models.yaml").read_bytes()
    )
    found = [
        set(entry["supported_langs"])
        for part in _entries(listed)
        for entry in part
        if entry.get("model_key") == "multi_PP-OCRv6_rec_small"
    ]
    # The last two are other spellings of `fr` and `de`.
    assert found == [{*PP_OCR_LANGUAGES, "french", "german"}]


def _entries(node: Any) -> list[list[dict[str, Any]]]:
    if isinstance(node, Mapping):
        return [found for value in node.values() for found in _entries(value)]
    return [node] if isinstance(node, list) and node and isinstance(node[0], Mapping) else []
