"""A quality set: PDFs, what is true of them, and the program that compares."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

IMAGE_ONLY = "ocr_"
"""How the names of collections begin whose documents have no text, only pictures of it."""

Means = dict[str, int | float]


class QualityError(Exception):
    """A quality set cannot be used, or not be scored; the text says what to do."""


class QualitySet(Struct, frozen=True):
    """A folder with ``pdfs/``, ``ground-truth/`` and ``score.py``.

    :param paths: the PDFs to convert, by name.
    :param left_out: those that have no text.
    """

    folder: Path
    paths: list[Path]
    left_out: list[Path]

    @property
    def collections(self) -> list[str]:
        """The collections of the PDFs to convert."""
        return sorted({collection(path) for path in self.paths})


class Scores(Struct, frozen=True):
    """The last line of ``score.py``: the means of each metric, over everything and by collection."""

    all: Means
    collections: dict[str, Means]


def collection(path: Path) -> str:
    """Return the collection of a document: its name's part before two underscores."""
    return path.stem.split("__")[0]


def quality_set(folder: Path, *, image_only: bool) -> QualitySet:
    """Look at a folder.

    :param image_only: whether documents that have no text are to be converted too.
    :raises QualityError: if it is no quality set.
    """
    if not folder.is_dir():
        raise QualityError(f"There is no folder {folder}.")
    for needed in ("pdfs", "ground-truth", "score.py"):
        if not folder.joinpath(needed).exists():
            raise QualityError(f"{folder} has no {needed}: a quality set has pdfs/, ground-truth/ and score.py.")
    found = sorted(folder.joinpath("pdfs").glob("*.pdf"))
    left_out = [path for path in found if path.name.startswith(IMAGE_ONLY) and not image_only]
    paths = [path for path in found if path not in left_out]
    if not paths:
        raise QualityError(f"There are no PDFs with text in {folder / 'pdfs'}.")
    return QualitySet(folder, paths, left_out)


def check_scorer(folder: Path) -> None:
    """Find out whether ``score.py`` runs at all, before minutes of conversions.

    :raises QualityError: if it does not, for example because a package is missing.
    """
    _run(folder, "--help")


def score(quality: QualitySet, predictions: Path) -> Scores:
    """Have ``score.py`` compare a folder of Markdown with the truth.

    :raises QualityError: if it fails, or says something else than scores.
    """
    chosen = ",".join(quality.collections)
    jobs = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    truth = str(quality.folder / "ground-truth")
    said = _run(quality.folder, str(predictions), truth, "--collection", chosen, "--jobs", jobs, "--quiet")
    try:
        return msgspec.json.decode(said.strip().rpartition("\n")[2], type=Scores)
    except msgspec.DecodeError as error:
        raise QualityError(f"The last line of score.py has no scores: {error}.") from error


def _run(folder: Path, *arguments: str) -> str:
    ran = subprocess.run([sys.executable, folder / "score.py", *arguments], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise QualityError(_reason(ran.stderr.strip().splitlines() or ["it says nothing"]))
    return ran.stdout


def _reason(said: Sequence[str]) -> str:
    last = said[-1]
    if last.startswith("ModuleNotFoundError: "):
        name = last.rpartition(" ")[2].strip("'")
        return f"score.py needs the package {name}: install it with {sys.executable} -m pip install."
    return f"score.py failed: {last}"
