"""What a jail is built for."""

from pathlib import Path

from msgspec import Struct


class Cell(Struct, frozen=True, kw_only=True):
    """What a jail is built for.

    :param folder: the child's own folder, which its parent made: all it may write to.
    :param account: first user id of this installation's converters; each takes the one that its process id adds up to.
    :param private: folders that it must not be able to read.
    :param readable: files and folders to read beside the interpreter and the system's libraries.
    :param accelerated: whether it may use a GPU, and needs the devices.
    """

    folder: str
    account: int
    private: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    accelerated: bool = False


def home(folder: str | Path) -> Path:
    """Return the folder within a child's own that is its home and its working folder, for temporary files."""
    return Path(folder, "home")
