"""Which folder a file's results are in: the one that has results of the same bytes, or else the first free name."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from docrefinery.cli.push.inputs import Input
from docrefinery.cli.push.journal import Journal


class Folders:
    """The folders of one run, none of them for two files, and none for other bytes than the journal says it has."""

    def __init__(self, inputs: Iterable[Input], out: Path, journal: Journal | None = None) -> None:
        self._out = out
        self._journal = journal
        self._stems = Counter(each.stem for each in inputs)
        self._taken: set[Path] = set()
        self._numbers: dict[Path, int] = {}
        self._left: dict[str, Iterator[Path]] = {}
        self._before = journal.hashes() if journal is not None else frozenset[str]()

    def now(self, each: Input, sha256: str) -> Path | None:
        """Return a file's folder, unless that depends on which ones the others of the run leave."""
        for place in self._places(each):
            if self._owner(place) == sha256 and place not in self._taken:
                return self._take(place)
        if sha256 in self._before:
            return None
        return self._take(self._free(each, sha256))

    def at_last(self, each: Input, sha256: str) -> Path:
        """Return a file's folder, after :meth:`now` was asked for all files of the run."""
        if sha256 not in self._left:
            self._left[sha256] = iter(self._known(sha256))
        place = next((place for place in self._left[sha256] if place not in self._taken), None)
        return self._take(place or self._free(each, sha256))

    def _places(self, each: Input) -> list[Path]:
        """Return the names a file may have: its stem if no other has that, and its relative path."""
        # `..` is the stem of `...pdf`.
        name = each.stem if each.stem.strip(".") else each.path.name
        places = [Path(name), each.relative.parent / name]
        return places if self._stems[each.stem] == 1 else places[1:]

    def _known(self, sha256: str) -> list[Path]:
        """Return the folders that have results of these bytes, or had them begun."""
        folders = self._journal.folders(sha256) if self._journal is not None else ()
        return [place for folder in folders if _is_below(place := Path(folder))]

    def _free(self, each: Input, sha256: str) -> Path:
        return next(place for place in self._names(each) if self._is_free(place, sha256))

    def _names(self, each: Input) -> Iterator[Path]:
        places = self._places(each)
        yield from places
        place = places[-1]
        # Thousands of files may have one name: each goes on where the one before has stopped.
        for number in count(self._numbers.get(place, 2)):
            self._numbers[place] = number
            yield place.with_name(f"{place.name}-{number}")

    def _is_free(self, place: Path, sha256: str) -> bool:
        if place in self._taken:
            return False
        return self._owner(place) in ("", sha256) or _is_removed(self._out / place)

    def _owner(self, place: Path) -> str:
        return self._journal.owner(str(place)) if self._journal is not None else ""

    def _take(self, place: Path) -> Path:
        self._taken.add(place)
        return self._out / place


def _is_removed(folder: Path) -> bool:
    """Whether a folder is nobody's any more; one that cannot be looked at still is somebody's."""
    try:
        return not folder.exists()
    except OSError:
        return False


def _is_below(place: Path) -> bool:
    """Whether a path that was read leads nowhere else."""
    return not place.is_absolute() and ".." not in place.parts
