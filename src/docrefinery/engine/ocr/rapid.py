"""RapidOCR: PP-OCRv6's small models on onnxruntime, from the wheel, without torch and without a download.

One model reads all its languages (https://github.com/PaddlePaddle/PaddleOCR), so there is nothing to choose.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from docrefinery.capabilities.languages import AUTO
from docrefinery.capabilities.ocr import Ocr
from docrefinery.engine.ocr.base import Reading, ReadLine, ReadWord, confidence_of, on_their_side, turned

_UPSIDE_DOWN = 0.85
"""Mean confidence below which lines that lie flat may stand on their heads; upright print reads at 0.95 and more."""
_PARAMS = {
    "Global.log_level": "error",
    # Pages are what runs side by side.
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class Rapid:
    """RapidOCR; a model for each thread, loaded when the thread reads its first page."""

    def __init__(self, ocr: Ocr, languages: Sequence[str]) -> None:
        self.label = f"rapidocr {ocr.version}"
        self._languages = tuple(language for language in languages if language != AUTO)
        self._models = threading.local()

    def read(self, image: Image.Image, dpi: int) -> Reading:  # noqa: ARG002 - the models need no resolution
        """Read an image; see :class:`~docrefinery.engine.ocr.base.Recognizer`."""
        reading = self._read(image, 0)
        if on_their_side(reading.lines):
            # Lines are turned before they are read, so it is the order of the page that tells up from down.
            return max((self._read(image, 90), self._read(image, 270)), key=lambda one: one.confidence)
        if reading.lines and reading.confidence < _UPSIDE_DOWN:
            return max((reading, self._read(image, 180)), key=lambda one: one.confidence)
        return reading

    def afresh(self) -> "Rapid":
        """Return itself: a page tells it nothing of the next."""
        return self

    def _read(self, image: Image.Image, rotation: int) -> Reading:
        pixels = np.asarray(turned(image, rotation).convert("RGB"))
        found = self._model()(pixels, use_cls=False)
        if found.txts is None or found.boxes is None:
            return Reading([], rotation, 0.0, self._languages)
        lines = [_line(text, box) for text, box in zip(found.txts, found.boxes, strict=True) if text.strip()]
        confidence = confidence_of(list(zip(found.txts, found.scores, strict=True)))
        return Reading(lines, rotation, confidence, self._languages, tight=False)

    def _model(self) -> Any:
        if not hasattr(self._models, "one"):
            from rapidocr import RapidOCR

            self._models.one = RapidOCR(params=_PARAMS)
        return self._models.one


def _line(text: str, box: Any) -> ReadLine:
    """Return a line of its text and its four corners, from the upper left one clockwise.

    The models tell no words' places: each word gets its letters' share of the line, at the line's slope.
    """
    corners = np.asarray(box, np.float64)
    start, end = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    half = (np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 4
    text = " ".join(text.split())
    words, at = [], 0
    for word in text.split():
        left, right = (start + (end - start) * place / len(text) for place in (at, at + len(word)))
        middle = (left[1] + right[1]) / 2
        words.append(ReadWord(word, float(left[0]), float(middle - half), float(right[0]), float(middle + half)))
        at += len(word) + 1
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return ReadLine(words, left, top, right, bottom)
