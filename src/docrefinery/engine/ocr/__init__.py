"""Text recognition: which pages need it, the engines, and many pages at a time."""

from collections.abc import Sequence

from docrefinery.capabilities import Ocr, resolve
from docrefinery.capabilities.languages import shown
from docrefinery.engine.ocr.base import Recognizer
from docrefinery.errors import OcrLanguageUnavailable


def codes_of(ocr: Ocr, languages: Sequence[str]) -> list[str]:
    """Return an engine's own codes of languages, ``auto`` among them where it is asked for or nothing is.

    :param languages: as a request writes them.
    :raises OcrLanguageUnavailable: naming the first one that is not installed.
    """
    codes: list[str] = []
    for language in languages or ("auto",):
        code = resolve(language, ocr)
        if code is None:
            raise OcrLanguageUnavailable(
                f"this worker's {ocr.engine} has no language {language!r}; it has {', '.join(shown(ocr))}",
                details={"language": language, "installed": list(shown(ocr))},
            )
        if code not in codes:
            codes.append(code)
    return codes


def recognizer_of(ocr: Ocr, languages: Sequence[str]) -> Recognizer:
    """Make the recognizer of a job; raises :class:`OcrLanguageUnavailable`."""
    codes = codes_of(ocr, languages)
    if ocr.engine == "tesseract":
        from docrefinery.engine.ocr.tesseract import Tesseract

        return Tesseract(ocr, codes)
    from docrefinery.engine.ocr.rapid import Rapid

    return Rapid(ocr, codes)
