"""What every OCR engine does for us, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

LEGIBLE = 0.6
"""Mean confidence below which a page is looked at again: it may lie on its side, or be in another script."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word that was read; its box in pixels."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line that was read: its words, and the box of its letters in pixels."""

    words: Sequence[ReadWord]
    left: float
    top: float
    right: float
    bottom: float

    @property
    def text(self) -> str:
        """Its words with a space between them."""
        return " ".join(word.text for word in self.words)

    @property
    def height(self) -> float:
        """Height of its box."""
        return self.bottom - self.top


class OcrFailed(Exception):
    """The engine failed on a page; the message says how, without paths of this machine."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in an image.

    :param lines: their boxes in pixels of the image once it is upright.
    :param rotation: degrees by which the image was turned clockwise to be upright: 0, 90, 180 or 270.
    :param confidence: the engine's own, 0 to 1, averaged over the letters; 0 if nothing was read.
    :param languages: the engine's codes of the languages that it was read with.
    :param script: the script (ISO 15924) that the page seems to be in and that no installed language reads.
    :param tight: whether a word's box ends where its letters do; else it has room for all letters.
    """

    lines: Sequence[ReadLine]
    rotation: int = 0
    confidence: float = 0.0
    languages: tuple[str, ...] = ()
    script: str | None = None
    tight: bool = True


class Recognizer(Protocol):
    """An OCR engine for one document; several threads may call it at a time."""

    @property
    def label(self) -> str:
        """Name and version, as the job shows them."""

    def read(self, image: Image.Image, dpi: int) -> Reading:
        """Read a greyscale image of a page or a part of one.

        :param dpi: its resolution, dots an inch.
        :raises OcrFailed: if the engine fails.
        """

    def afresh(self) -> "Recognizer":
        """Return one that has learned nothing of the document yet."""


def turned(image: Image.Image, clockwise: int) -> Image.Image:
    """Return an image turned by a multiple of 90 degrees."""
    match clockwise:
        case 90:
            return image.transpose(Image.Transpose.ROTATE_270)
        case 180:
            return image.transpose(Image.Transpose.ROTATE_180)
        case 270:
            return image.transpose(Image.Transpose.ROTATE_90)
        case _:
            return image


def on_their_side(lines: Sequence[ReadLine]) -> bool:
    """Whether most lines run up or down the image."""
    upright = [line.right - line.left >= line.height for line in lines if len(line.text) > 2]
    return upright.count(False) > len(upright) / 2


def confidence_of(scored: Sequence[tuple[str, float]]) -> float:
    """Return the mean confidence of texts, each weighted by its length."""
    letters = sum(len(text) for text, _ in scored)
    return sum(len(text) * score for text, score in scored) / letters if letters else 0.0
