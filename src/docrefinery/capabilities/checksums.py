"""Whether downloaded model files are what the hub has: its client compares sizes alone."""

import hashlib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import msgspec
from msgspec import Struct

from docrefinery.capabilities.checkpoints import Checkpoint, commit_of


class _Entry(Struct):
    size: int
    blob_id: str
    lfs_sha256: str = ""
    lfs_size: int = 0


class _Tree(Struct):
    files: dict[str, _Entry]


def wrong_files(folder: Path, checkpoint: Checkpoint) -> list[str] | None:
    """Return the files of a model that are missing or are not what its commit on the hub has.

    The hub's client keeps the list of a commit's files beside them: a large file's SHA-256, a small one's Git blob id
    (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).

    :returns: paths below the model's folder, or ``None`` where there is no list to compare with.
    :raises OSError: if a file cannot be read.
    """
    place = folder / checkpoint.folder
    commit = commit_of(place, checkpoint.files[0])
    try:
        content = (place / ".cache/huggingface/trees" / f"{commit}.json").read_bytes()
        tree = msgspec.json.decode(content, type=_Tree)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return list(_wrong(place, tree, checkpoint.skipped))


def _wrong(place: Path, tree: _Tree, skipped: Sequence[str]) -> Iterator[str]:
    for name, entry in tree.files.items():
        if any(fnmatch(name, pattern) for pattern in skipped):
            continue
        file = place / name
        size = entry.lfs_size if entry.lfs_sha256 else entry.size
        if not file.is_file() or file.stat().st_size != size or _digest(file, entry) != _expected(entry):
            yield name


def _expected(entry: _Entry) -> str:
    return entry.lfs_sha256 or entry.blob_id


def _digest(file: Path, entry: _Entry) -> str:
    with file.open("rb") as opened:
        if entry.lfs_sha256:
            return hashlib.file_digest(opened, "sha256").hexdigest()
        # Git's own name for a file, which is no protection but what there is for small ones.
        blob = hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
        blob.update(opened.read())
        return blob.hexdigest()
