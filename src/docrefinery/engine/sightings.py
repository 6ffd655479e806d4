"""Marks in a PDF's bytes of what a viewer would run, and of files that are in it."""

import re
from collections import Counter

_SPACE = rb"[\x00\t\n\f\r ]"
_END = rb"(?![^\x00\t\n\f\r ()<>\[\]{}/%])"
"""Behind a name: the end of what belongs to it."""
# ISO 32000-1, 12.6: an action's type is the name under /S, which may be an object of its own.
_ACTIONS = rb"JavaScript|Launch|ImportData|SubmitForm|GoToR|GoToE|Rendition|Movie|Sound|GoTo3DView|RichMediaExecute"
_ACTION = rb"S%(s)s*/(?P<action>%(actions)s)%(end)s"
_ALONE = rb"(?P<alone>%(actions)s)%(s)s+endobj"
# 12.5.6: annotations that play something.
_PLAYER = rb"Subtype%(s)s*/(?P<player>RichMedia|Screen|Movie|Sound|3D)%(end)s"
# 7.11.4: a file specification whose file is in the document says under /EF which stream it is.
_FILE = rb"EF%(s)s*(?:<<[^>]{0,60}?%(s)s)?(?P<file>[0-9]{1,10})%(s)s+[0-9]{1,5}%(s)s+R"
# All begin with one byte, which is sought ten times faster than several.
_MARK = re.compile(
    b"/(?:%s)" % b"|".join((_ACTION, _ALONE, _PLAYER, _FILE)) % {b"s": _SPACE, b"end": _END, b"actions": _ACTIONS}
)
_LONGEST = 256
"""Bytes that a mark has at the most, but for whitespace that nobody writes."""
_MOST = 10_000

JAVASCRIPT, LAUNCH = "JavaScript", "an action that launches a program"
MEDIA = "sound, film or other media"
_WORDS = {
    b"JavaScript": JAVASCRIPT,
    b"Launch": LAUNCH,
    b"ImportData": "an action that imports data",
    b"SubmitForm": "an action that sends a form",
    b"GoToR": "a link into another file",
    b"GoToE": "a link into another file",
}


class Sightings:
    """What was seen in bytes that come in pieces.

    :param at_once: bytes that are looked at together, more than a mark has.
    :ivar active: how often each thing was seen that a viewer would run, in words.
    :ivar files: numbers of the streams that are files.
    """

    def __init__(self, at_once: int = 1024 * 1024) -> None:
        self._at_once = at_once
        self.active: Counter[str] = Counter()
        self.files: set[int] = set()
        self._kept = bytearray()

    def take(self, piece: bytes) -> None:
        """Look at the next piece, as soon as it is worth it."""
        self._kept += piece
        if len(self._kept) > self._at_once:
            self._look(len(self._kept) - _LONGEST)

    def finish(self) -> None:
        """Look at what is left."""
        self._look(len(self._kept))

    def _look(self, until: int) -> None:
        """Look for marks that begin before ``until``; what is behind it is kept for the next look."""
        for match in _MARK.finditer(self._kept):
            if match.start() >= until or self.active.total() + len(self.files) >= _MOST:
                break
            if match["file"]:
                self.files.add(int(match["file"]))
            else:
                self.active[_WORDS.get(match["action"] or match["alone"], MEDIA)] += 1
        del self._kept[:until]
