"""What Tesseract's orientation and script detection (``--psm 0``) says, in standard terms."""

import re
from dataclasses import dataclass

_ROTATE = re.compile(r"^Rotate: (0|90|180|270)$", re.MULTILINE)
_SURE = re.compile(r"^Orientation confidence: ([\d.]+)$", re.MULTILINE)
_SCRIPT = re.compile(r"^Script: (\w+)$", re.MULTILINE)
# Below it the detector guesses: on pages with a dozen words it turns upright text over.
_LEAST_SURE = 2.0


@dataclass(frozen=True, slots=True)
class Orientation:
    """Degrees to turn an image clockwise so that it is upright, and its script (ISO 15924) if that is known."""

    rotation: int
    script: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """Tesseract's data file for a script, and the scripts that its languages count as."""

    file: str
    codes: tuple[str, ...]


SCRIPTS = {
    "Latn": Script("script/Latin", ("Latn",)),
    "Cyrl": Script("script/Cyrillic", ("Cyrl",)),
    "Grek": Script("script/Greek", ("Grek",)),
    "Arab": Script("script/Arabic", ("Arab",)),
    "Hebr": Script("script/Hebrew", ("Hebr",)),
    "Deva": Script("script/Devanagari", ("Deva",)),
    "Beng": Script("script/Bengali", ("Beng",)),
    "Thai": Script("script/Thai", ("Thai",)),
    "Taml": Script("script/Tamil", ("Taml",)),
    "Telu": Script("script/Telugu", ("Telu",)),
    "Geor": Script("script/Georgian", ("Geor",)),
    "Armn": Script("script/Armenian", ("Armn",)),
    "Hani": Script("script/HanS", ("Hans", "Hant")),
    "Jpan": Script("script/Japanese", ("Jpan",)),
    "Hang": Script("script/Hangul", ("Kore",)),
    "Latf": Script("script/Fraktur", ("Latf",)),
}
_SAID = {
    "Latin": "Latn", "Cyrillic": "Cyrl", "Greek": "Grek", "Arabic": "Arab", "Hebrew": "Hebr", "Devanagari": "Deva",
    "Bengali": "Beng", "Thai": "Thai", "Tamil": "Taml", "Telugu": "Telu", "Georgian": "Geor", "Armenian": "Armn",
    "Han": "Hani", "Japanese": "Jpan", "Katakana": "Jpan", "Hiragana": "Jpan", "Korean": "Hang", "Hangul": "Hang",
    "Fraktur": "Latf",
}  # fmt: skip


def orientation_of(output: str) -> Orientation:
    """Read the detector's answer; without one, because there is too little text, the image is taken as it is."""
    rotate, sure, script = (pattern.search(output) for pattern in (_ROTATE, _SURE, _SCRIPT))
    certain = sure is not None and float(sure[1]) >= _LEAST_SURE
    return Orientation(int(rotate[1]) if rotate and certain else 0, _SAID.get(script[1]) if script else None)
