"""A PDF on its way."""

from pathlib import Path

from msgspec import Struct

from docrefinery.cli.push.inputs import Input


class File(Struct, frozen=True):
    """A PDF to push, the folder for its results, and its hash."""

    input: Input
    folder: Path
    sha256: str
