"""Contents on their way to this machine: checked against their SHA-256, and resumed where they broke off."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import httpx

from docrefinery.client import operations
from docrefinery.client.asking import persist
from docrefinery.client.connection import Patience
from docrefinery.client.errors import ApiError, Damaged
from docrefinery.client.resources import Artifact, Document
from docrefinery.client.steps import Flow, Pour

_STARTS_AT = re.compile(r"bytes (\d+)-")
BLOCK = 1024 * 1024


class Checked:
    """Counts and hashes what comes, against what it should be."""

    def __init__(self, of: Artifact | Document) -> None:
        self._of = of
        self._hash = hashlib.sha256()

    def add(self, chunk: bytes | bytearray) -> None:
        """Take the next bytes."""
        self._hash.update(chunk)

    def finish(self) -> None:
        """Raise :class:`Damaged` unless that was all, and the right bytes."""
        if self._hash.hexdigest() != self._of.sha256:
            raise Damaged(f"The contents of {_name(self._of)} have another SHA-256 than the service said.")


class InMemory:
    """A sink for contents that fit the memory; each answer begins anew."""

    def __init__(self, of: Artifact | Document) -> None:
        self._of = of
        self.data = bytearray()

    def begin(self, response: httpx.Response) -> None:  # noqa: ARG002 - a sink is told
        """Begin anew."""
        self.data.clear()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.data += chunk

    def finish(self) -> bytes:
        """Return the bytes; raises :class:`Damaged`."""
        checked = Checked(self._of)
        checked.add(self.data)
        checked.finish()
        return bytes(self.data)


class Partial:
    """A sink for a file: a part beside it, named after the contents, that takes its place when it is whole."""

    def __init__(self, of: Artifact | Document, target: Path) -> None:
        self._of = of
        self._target = target
        self._part = target.with_name(f".{of.id}-{of.sha256[:32]}.part")
        self._file = self._part.open("ab")

    @property
    def headers(self) -> Mapping[str, str]:
        """What asks for the rest, if there is a part already and the contents are still the same."""
        size = self._size()
        return {"Range": f"bytes={size}-", "If-Range": f'"{self._of.sha256}"'} if size else {}

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be fetched."""
        return self._size() == self._of.size_bytes

    def _size(self) -> int:
        self._file.flush()
        return self._part.stat().st_size

    def begin(self, response: httpx.Response) -> None:
        """Go on where the answer begins."""
        at = _STARTS_AT.match(response.headers.get("content-range", "")) if response.status_code == 206 else None
        self._file.truncate(min(int(at[1]), self._size()) if at else 0)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)

    def finish(self) -> Path:
        """Put the file in its place; raises :class:`Damaged`, and then keeps nothing."""
        self._file.close()
        checked = Checked(self._of)
        with self._part.open("rb") as file:
            while block := file.read(BLOCK):
                checked.add(block)
        try:
            checked.finish()
        except Damaged:
            self._part.unlink()
            raise
        return self._part.replace(self._target)

    def restart(self) -> None:
        """Forget what there is."""
        self._file.truncate(0)

    def close(self) -> None:
        """Leave a part for the next time, if there is one."""
        self._file.close()
        if self._part.exists() and not self._part.stat().st_size:
            self._part.unlink()


def reading(of: Artifact | Document, patience: Patience) -> Flow[bytes]:
    """Fetch contents into memory."""
    sink, call = InMemory(of), operations.contents(of, {})
    yield from persist(lambda: Pour(call, sink), call, patience)
    return sink.finish()


def saving(of: Artifact | Document, target: Path, patience: Patience) -> Flow[Path]:
    """Fetch contents into a file, which is there as a whole or not at all.

    :param target: the file, or an existing folder that gets it under the service's name for it.
    """
    place = target / _name(of) if target.is_dir() else target
    sink = Partial(of, place)

    def step() -> Pour:
        return Pour(operations.contents(of, sink.headers), sink)

    try:
        for last in (False, True):
            try:
                if not sink.whole:
                    yield from persist(step, operations.contents(of, {}), patience)
                return sink.finish()
            except ApiError as error:
                # What is there is longer than the contents: it was never part of them.
                if last or error.status != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    raise
                sink.restart()
        raise AssertionError("the second round returns or raises")
    finally:
        sink.close()


def _name(of: Artifact | Document) -> str:
    """Return the service's name for a file, as one that leads nowhere else."""
    name = of.original_filename if isinstance(of, Document) else of.filename
    return re.split(r"[/\\\0]", name)[-1].strip(". ") or f"{of.id}"
