"""Docling's model files: which ones there are, and whether a folder has them whole; known without Docling or torch."""

import json
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

Part = Literal["layout", "tables", "picture_classification", "picture_description"]
STAMP = "docrefinery-models.json"
"""File in a models folder that says which Docling the download was for."""
_HEADER_BYTES = 8
_LONGEST_HEADER = 100_000_000


class Checkpoint(Struct, frozen=True):
    """The files of one model.

    :param part: what it does in a conversion.
    :param repo: its name on the Hugging Face hub; Docling keeps it in a folder of this name, `--` for the slash.
    :param revision: the branch or tag that Docling asks for.
    :param files: what loading needs, below the folder.
    :param megabytes: what a download takes, roughly.
    :param purpose: what it is for, in words.
    :param skipped: patterns of files that the repository has besides, and that nothing reads.
    """

    part: Part
    repo: str
    revision: str
    files: tuple[str, ...]
    megabytes: int
    purpose: str
    skipped: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return self.repo.replace("/", "--")


_TABLEFORMER = "model_artifacts/tableformer/accurate"
# As Docling's own options name them (a test holds them to that): the API, which has no Docling, speaks of them too.
CHECKPOINTS = (
    Checkpoint(
        "layout",
        "docling-project/docling-layout-heron",
        "main",
        ("config.json", "preprocessor_config.json", "model.safetensors"),
        172,
        "layout",
    ),
    Checkpoint(
        "tables",
        "docling-project/docling-models",
        "v2.3.0",
        (f"{_TABLEFORMER}/tm_config.json", f"{_TABLEFORMER}/tableformer_accurate.safetensors"),
        213,
        "table structure",
        skipped=("model_artifacts/layout/*", "model_artifacts/tableformer/fast/*"),
    ),
    Checkpoint(
        "picture_classification",
        "docling-project/DocumentFigureClassifier-v2.5",
        "main",
        ("config.json", "preprocessor_config.json", "model.safetensors"),
        17,
        "picture classification",
    ),
    Checkpoint(
        "picture_description",
        "HuggingFaceTB/SmolVLM-256M-Instruct",
        "main",
        (
            "config.json",
            "generation_config.json",
            "preprocessor_config.json",
            "processor_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "model.safetensors",
        ),
        520,
        "picture description",
        skipped=("onnx/*",),
    ),
)


class Found(Struct, frozen=True):
    """How one model is in a folder: ``ready``, ``missing`` or ``broken``, and what is wrong with it.

    ``commit`` is what its revision was on the hub at the download, where that is known; ``recorded`` says whether
    the folder's stamp has its revision.
    """

    checkpoint: Checkpoint
    state: Literal["ready", "missing", "broken"]
    problem: str = ""
    size_bytes: int = 0
    commit: str = ""
    recorded: bool = False

    @property
    def name(self) -> str:
        """The model's name and revision, as jobs show them: of a branch, which moves, the commit."""
        tagged = self.recorded and self.checkpoint.revision != "main"
        known = self.checkpoint.revision if self.recorded else "unknown"
        revision = known if tagged or not self.commit else self.commit[:12]
        return f"{self.checkpoint.repo.rpartition('/')[2]}@{revision}"


def examine(folder: Path, checkpoint: Checkpoint) -> Found:
    """Look for a model in a folder, without loading it."""
    place = folder / checkpoint.folder
    try:
        if not place.is_dir():
            return Found(checkpoint, "missing", f"{checkpoint.folder} is not there")
        problem = next((text for name in checkpoint.files if (text := _problem(place / name))), "")
        stamp = stamp_of(folder)
        problem = problem or _other_revision(stamp, checkpoint)
        size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
        commit = commit_of(place, checkpoint.files[0])
    except OSError as error:
        return Found(checkpoint, "broken", f"{checkpoint.folder} cannot be read: {error.strerror or error}")
    recorded = stamp is not None and checkpoint.repo in stamp.revisions
    return Found(checkpoint, "broken" if problem else "ready", problem, size, commit, recorded)


def commit_of(place: Path, name: str) -> str:
    """Return the commit that a file was downloaded from, as the hub's client noted it beside it, or nothing."""
    try:
        note = (place / ".cache/huggingface/download" / f"{name}.metadata").read_text("ascii")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    return note.partition("\n")[0].strip()


def _problem(file: Path) -> str:
    shown = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        return f"{shown} is not there"
    if file.suffix != ".safetensors":
        with file.open("rb") as opened:
            return "" if opened.read(1) else f"{shown} is empty"
    size, wanted = file.stat().st_size, _size_of(file)
    if wanted is None:
        return f"{shown} is no whole safetensors file"
    return f"{shown} has {size:,} of {wanted:,} bytes" if size != wanted else ""


def _size_of(file: Path) -> int | None:
    """Return how long a file says that it is (https://huggingface.co/docs/safetensors, "Format")."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_HEADER_BYTES), "little")
        if not 2 <= length <= _LONGEST_HEADER:
            return None
        text = opened.read(length)
    try:
        header: Any = json.loads(text)
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return _HEADER_BYTES + length + int(max(ends, default=0))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


class Stamp(Struct, frozen=True):
    """What a download was made for: Docling's version, and each repository's revision."""

    docling: str
    revisions: dict[str, str]


def stamp_of(folder: Path) -> Stamp | None:
    """Return the stamp of a folder that ``docrefinery models download`` filled; raises :class:`OSError`."""
    try:
        return msgspec.json.decode((folder / STAMP).read_bytes(), type=Stamp)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _other_revision(stamp: Stamp | None, checkpoint: Checkpoint) -> str:
    there = stamp.revisions.get(checkpoint.repo, checkpoint.revision) if stamp else checkpoint.revision
    if stamp is None or there == checkpoint.revision:
        return ""
    return (
        f"{checkpoint.folder} has revision {there}, downloaded for Docling {stamp.docling}; "
        f"this Docling wants {checkpoint.revision}"
    )
