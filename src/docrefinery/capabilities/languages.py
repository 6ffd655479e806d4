"""OCR languages: from what a request may write to the code of an installed engine.

A request writes a BCP 47 tag (RFC 5646: ``de``, ``zh-Hans``, ``pt-BR``), an ISO 639 code (``deu``), the engine's own
code (``chi_sim``, ``script/Latin``), or ``auto``.
"""

from collections.abc import Sequence

from langcodes import Language
from langcodes.tag_parser import LanguageTagError

from docrefinery.capabilities.ocr import ORIENTATION, Ocr

AUTO = "auto"
# (language, script) of BCP 47 to an engine's code, where that is neither ISO 639-2/T nor the language's subtag.
_TESSERACT = {
    ("zh", "Hans"): "chi_sim",
    ("zh", "Hant"): "chi_tra",
    ("sr", "Latn"): "srp_latn",
    ("az", "Cyrl"): "aze_cyrl",
    ("uz", "Cyrl"): "uzb_cyrl",
    ("ku", "Latn"): "kmr",
    ("nb", "Latn"): "nor",
    ("nn", "Latn"): "nor",
    ("de", "Latf"): "deu_latf",
}
_PP_OCR = {
    ("zh", "Hans"): "ch",
    ("zh", "Hant"): "chinese_cht",
    ("ja", "Jpan"): "japan",
    ("sr", "Latn"): "rs_latin",
    ("fil", "Latn"): "tl",
    ("nb", "Latn"): "no",
    ("nn", "Latn"): "no",
}
_TAGS = {code: pair for table in (_TESSERACT, _PP_OCR) for pair, code in table.items() if "_" in code}


def resolve(asked: str, ocr: Ocr) -> str | None:
    """Return the engine's code of a language, ``auto`` for ``auto``, and ``None`` if the engine does not have it."""
    text = asked.strip()
    if text.lower() == AUTO:
        return AUTO
    known = {code.lower(): code for code in ocr.languages if code != ORIENTATION}
    if text.lower() in known:
        return known[text.lower()]
    pair = _TAGS.get(text.lower()) or _pair(text)
    return next((known[code] for code in _codes(pair, ocr) if code in known), None) if pair else None


def script_of(code: str) -> str | None:
    """Return the script (ISO 15924) that a code of Tesseract's is written in, as far as that can be known."""
    pair = _TAGS.get(code) or _pair(code.partition("_")[0])
    return pair[1] if pair else None


def shown(ocr: Ocr) -> Sequence[str]:
    """Return the languages that a request may ask of an engine."""
    return [AUTO, *(code for code in ocr.languages if code != ORIENTATION)]


def _pair(text: str) -> tuple[str, str] | None:
    try:
        language = Language.get(text)
        if not language.is_valid():
            return None
        whole = language.maximize()
    except LanguageTagError:
        return None
    return (whole.language, whole.script) if whole.language and whole.script else None


def _codes(pair: tuple[str, str], ocr: Ocr) -> list[str]:
    special = _PP_OCR if ocr.engine == "rapidocr" else _TESSERACT
    if pair in special:
        return [special[pair]]
    # Another script than the language's usual one has a model of its own, or none.
    if Language.get(pair[0]).maximize().script != pair[1]:
        return []
    try:
        return [pair[0] if ocr.engine == "rapidocr" else Language.get(pair[0]).to_alpha3(variant="T")]
    except LookupError:
        return []
