"""Which OCR engine is installed, and the languages it has."""

import os
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from msgspec import Struct

from docrefinery.settings import OcrEngine

ASK_SECONDS = 10
# Files of Tesseract's that are no languages: the orientation detector and the equation finder.
_NO_LANGUAGES = frozenset({"equ"})
ORIENTATION = "osd"
# What PP-OCRv6's one model reads (its own codes; `default_models.yaml` of the wheel, held by a test).
PP_OCR_LANGUAGES = (
    "af", "az", "bs", "ca", "ch", "chinese_cht", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga",
    "gl", "hr", "hu", "id", "is", "it", "japan", "ku", "la", "lb", "lt", "lv", "mi", "ms", "mt", "nl", "no", "oc",
    "pl", "pt", "qu", "rm", "ro", "rs_latin", "sk", "sl", "sq", "sv", "sw", "tl", "tr", "uz", "vi",
)  # fmt: skip


class Ocr(Struct, frozen=True):
    """An OCR engine: ``tesseract`` or ``rapidocr``, its version, and its languages in its own codes."""

    engine: str
    version: str
    languages: tuple[str, ...]


def installed_ocr(wanted: OcrEngine = "auto") -> Ocr | None:
    """Return the engine that recognition uses on this machine: Tesseract where it is installed, else RapidOCR.

    :param wanted: the one engine to look for, or ``auto``.
    """
    found = _tesseract() if wanted in ("auto", "tesseract") else None
    return found or (_rapidocr() if wanted in ("auto", "rapidocr") else None)


def held_ocr(wanted: OcrEngine = "auto") -> Ocr | None:
    """Return what :func:`installed_ocr` said when this process first asked: each look starts two others."""
    return _held(wanted, os.environ.get("PATH"), os.environ.get("TESSDATA_PREFIX"))


@cache
def _held(wanted: OcrEngine, _path: str | None, _languages: str | None) -> Ocr | None:
    return installed_ocr(wanted)


def _tesseract() -> Ocr | None:
    program = shutil.which("tesseract")
    if program is None:
        return None
    try:
        said = _ask(program, "--version").split()
        listed = _ask(program, "--list-langs").splitlines()[1:]
    except (OSError, subprocess.SubprocessError):
        return None
    languages = sorted(name.strip() for name in listed if name.strip() not in {"", *_NO_LANGUAGES})
    if not said or not set(languages) - {ORIENTATION}:
        return None
    return Ocr("tesseract", said[1] if len(said) > 1 else "", tuple(languages))


def _ask(program: str, question: str) -> str:
    environ = {name: os.environ[name] for name in ("PATH", "TESSDATA_PREFIX") if name in os.environ}
    answer = subprocess.run([program, question], capture_output=True, timeout=ASK_SECONDS, check=True, env=environ)
    # Version 3 said it on stderr.
    return (answer.stdout or answer.stderr).decode(errors="replace")


def _rapidocr() -> Ocr | None:
    if find_spec("rapidocr") is None or find_spec("onnxruntime") is None:
        return None
    try:
        return Ocr("rapidocr", version("rapidocr"), PP_OCR_LANGUAGES)
    except PackageNotFoundError:
        return None
