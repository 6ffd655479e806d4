"""Making the file names that clients give harmless."""

import re
import unicodedata

_BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST = 200


def harmless(filename: str) -> str:
    """Return a client's file name as one that can be shown and stored: no path, no control characters, not too long."""
    name = re.split(r"[/\\]", filename)[-1]
    name = unicodedata.normalize("NFC", _BIDI.sub("", name))
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp")).strip(" .")
    if len(name) > _LONGEST:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[: _LONGEST - len(suffix) - 1]}.{suffix}" if dot and len(suffix) < 10 else name[:_LONGEST]
    return name or "document.pdf"
