"""What the author of a plugin imports: the descriptors to return and the mark for the hooks that return them."""

import pluggy

from docrefinery.model import Stage
from docrefinery.plugin.descriptors import (
    Clean,
    Exporter,
    Infected,
    Profile,
    ScanEngine,
    Scanner,
    ScannerDown,
    Unscannable,
    Verdict,
)

hookimpl = pluggy.HookimplMarker("docrefinery")

__all__ = [
    "Clean",
    "Exporter",
    "Infected",
    "Profile",
    "ScanEngine",
    "Scanner",
    "ScannerDown",
    "Stage",
    "Unscannable",
    "Verdict",
    "hookimpl",
]
