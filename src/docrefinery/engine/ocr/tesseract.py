"""Tesseract, called as a program: one process a page, one thread each, killed with the converter.

Its TSV output is described at https://tesseract-ocr.github.io/tessdoc/Command-Line-Usage.html#tsv-output.
"""

import io
import os
import subprocess
import sys
from collections.abc import Sequence

from PIL import Image

from docrefinery.capabilities.languages import AUTO, script_of
from docrefinery.capabilities.ocr import ORIENTATION, Ocr
from docrefinery.engine.ocr.base import (
    LEGIBLE,
    OcrFailed,
    Reading,
    ReadLine,
    ReadWord,
    confidence_of,
    on_their_side,
    turned,
)
from docrefinery.engine.ocr.orientation import SCRIPTS, Orientation, orientation_of

PAGE_SECONDS = 180
_LEAST_DPI = 70  # Below it Tesseract does not believe the number.
_LEAST_WORD, _LEAST_LINE = 0.15, 0.35
_MOST_LANGUAGES = 4  # Each one costs a fifth of a page's time.
_WORD = "5"


class Tesseract:
    """Tesseract with the languages of a job.

    :param languages: its own codes; ``auto`` detects the script and takes the installed languages of that script.
    """

    def __init__(self, ocr: Ocr, languages: Sequence[str]) -> None:
        self.label = f"tesseract {ocr.version}"
        self._ocr, self._languages = ocr, languages
        self._installed = ocr.languages
        self._asked = () if AUTO in languages else tuple(languages)
        # What the document is in, once a page has told; a page that is in something else reads badly, and is asked.
        self._script: str | None = None

    def read(self, image: Image.Image, dpi: int) -> Reading:
        """Read an image; see :class:`~docrefinery.engine.ocr.base.Recognizer`."""
        seen: Orientation | None = None
        if not self._asked and self._script is None:
            seen = self._look(image, dpi)
        reading = self._read(image, dpi, seen or Orientation(0, self._script))
        if seen is None and (reading.confidence < LEGIBLE or on_their_side(reading.lines)):
            seen = self._look(image, dpi)
            if seen.rotation or (not self._asked and seen.script != self._script):
                again = self._read(image, dpi, seen)
                better = again.confidence >= min(reading.confidence, LEGIBLE)
                reading = again if better else reading
        if reading.confidence >= LEGIBLE and seen is not None and self._script is None:
            self._script = seen.script
        return reading

    def afresh(self) -> "Tesseract":
        """Return one that is to be told of a script again."""
        return Tesseract(self._ocr, self._languages)

    def _look(self, image: Image.Image, dpi: int) -> Orientation:
        if ORIENTATION not in self._installed:
            return Orientation(0, None)
        return orientation_of(self._run(image, dpi, "--psm", "0", "-l", ORIENTATION, allow_failure=True))

    def _read(self, image: Image.Image, dpi: int, seen: Orientation) -> Reading:
        languages = self._asked or self._of_script(seen.script)
        upright = turned(image, seen.rotation)
        output = self._run(upright, dpi, "-l", "+".join(languages), "tsv")
        lines, confidence = read_tsv(output)
        unreadable = seen.script if seen.script and not self._asked and not self._has(seen.script) else None
        return Reading(lines, seen.rotation, confidence, languages, unreadable)

    def _has(self, script: str) -> bool:
        return bool(self._candidates(script))

    def _of_script(self, script: str | None) -> tuple[str, ...]:
        return self._candidates(script or "Latn") or self._candidates("Latn") or self._all()[:1]

    def _all(self) -> tuple[str, ...]:
        return tuple(code for code in self._installed if code != ORIENTATION)

    def _candidates(self, script: str) -> tuple[str, ...]:
        """Return the installed data for a script: its own file, which knows all its languages, else theirs."""
        known = SCRIPTS.get(script)
        if known and known.file in self._installed:
            return (known.file,)
        names = known.codes if known else (script,)
        codes = [code for code in self._all() if "/" not in code and script_of(code) in names]
        codes.sort(key=lambda code: (code != "eng", code.endswith("_vert"), code))
        return tuple(codes[:_MOST_LANGUAGES])

    def _run(self, image: Image.Image, dpi: int, *arguments: str, allow_failure: bool = False) -> str:
        pixels = io.BytesIO()
        image.save(pixels, format="PPM")
        command = ["tesseract", "stdin", "stdout", "--dpi", str(max(dpi, _LEAST_DPI)), *arguments]
        try:
            done = subprocess.run(
                command,
                input=pixels.getbuffer(),
                capture_output=True,
                timeout=PAGE_SECONDS,
                check=False,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            )
        except subprocess.TimeoutExpired:
            raise OcrFailed(f"Tesseract took longer than {PAGE_SECONDS} s") from None
        except OSError as error:
            raise OcrFailed(f"Tesseract cannot be started: {error.strerror}") from error
        if done.returncode and not allow_failure:
            # Its words name paths of this machine: they are for the log.
            sys.stderr.write(done.stderr[-2000:].decode(errors="replace"))
            raise OcrFailed(f"Tesseract ended with {done.returncode}")
        return done.stdout.decode(errors="replace")


def read_tsv(output: str) -> tuple[list[ReadLine], float]:
    """Return the lines of Tesseract's TSV, in its order, and their mean confidence (0 to 1)."""
    rows: dict[tuple[str, ...], list[tuple[str, float, tuple[int, ...]]]] = {}
    for row in output.splitlines()[1:]:
        # level, page, block, paragraph, line, word, left, top, width, height, confidence, text
        fields = row.split("\t", 11)
        if len(fields) == 12 and fields[0] == _WORD and fields[11].strip():
            confidence = float(fields[10]) / 100
            if confidence >= _LEAST_WORD:
                box = tuple(int(number) for number in fields[6:10])
                rows.setdefault(tuple(fields[1:5]), []).append((fields[11].strip(), confidence, box))
    lines, scored = [], []
    for words in rows.values():
        score = confidence_of([(text, confidence) for text, confidence, _ in words])
        if score >= _LEAST_LINE:
            lines.append(_line(words))
            scored.append((lines[-1].text, score))
    return lines, confidence_of(scored)


def _line(words: Sequence[tuple[str, float, tuple[int, ...]]]) -> ReadLine:
    read = [ReadWord(text, left, top, left + width, top + height) for text, _, (left, top, width, height) in words]
    return ReadLine(
        read,
        min(word.left for word in read),
        min(word.top for word in read),
        max(word.right for word in read),
        max(word.bottom for word in read),
    )
