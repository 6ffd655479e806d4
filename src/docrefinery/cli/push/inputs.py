"""Which files are meant: those that are named, and the PDFs in folders, however deep."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from docrefinery.cli.output import encodable
from docrefinery.cli.push.outcomes import Outcome, State, shown


class Input(Struct, frozen=True):
    """A file to push; ``relative`` is its path below the folder that was named."""

    path: Path
    relative: Path

    @property
    def stem(self) -> str:
        """Its name without ``.pdf``, as artifacts are named."""
        return stem_of(self.path.name)


def stem_of(name: str) -> str:
    """Return a file's name without ``.pdf``."""
    return name[:-4] if name[-4:].lower() == ".pdf" and name[:-4] else name


def collect(names: Iterable[str]) -> tuple[list[Input], list[Outcome]]:
    """Return the files that are meant, each once and in a steady order, and what was wrong on the way."""
    inputs: dict[Path, Input] = {}
    told: list[Outcome] = []
    for name in names:
        path = Path(name)
        found = _walk(path, path, set(), told) if path.is_dir() else [Input(path, Path(path.name))]
        for each in found:
            inputs.setdefault(each.path.absolute(), each)
    return list(inputs.values()), told


def _walk(folder: Path, root: Path, seen: set[tuple[int, int]], told: list[Outcome]) -> Iterator[Input]:
    try:
        stat = folder.stat()
        if (stat.st_dev, stat.st_ino) in seen:
            message = "a link leads to a folder that was gone through already"
            told.append(Outcome(path=shown(folder), status=State.SKIPPED, error_code="LINK_LOOP", message=message))
            return
        seen.add((stat.st_dev, stat.st_ino))
        with os.scandir(folder) as entries:
            here = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        told.append(failed(folder, "UNREADABLE", error.strerror or str(error)))
        return
    for entry in here:
        path = Path(entry.path)
        if entry.is_dir():
            yield from _walk(path, root, seen, told)
        elif entry.name.lower().endswith(".pdf"):
            yield Input(path, path.relative_to(root))


def failed(path: Path, code: str, message: str) -> Outcome:
    """Return the outcome of a file that cannot be pushed."""
    return Outcome(path=shown(path), status=State.FAILED, error_code=code, message=encodable(message))
