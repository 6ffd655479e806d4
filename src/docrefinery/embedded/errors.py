"""What can go wrong with the embedded services. Every message tells the operator what happened and what to do."""

from pathlib import Path


class EmbeddedError(Exception):
    """Base of every error here, and the error itself where no caller needs to tell it apart."""


class BinaryMissing(EmbeddedError):
    """A server's program is not installed, or this system cannot run it."""


class DiskFull(EmbeddedError):
    """There is not enough free space to start safely."""


class ServiceFailed(EmbeddedError):
    """A server did not start, or keeps dying. The message ends with its last log lines."""


class DataDirInUse(EmbeddedError):
    """Another process holds the data directory.

    :ivar pid: its process id; 0 when it did not say.
    :ivar since: when it took the directory, ISO 8601 in UTC; empty when it did not say.
    :ivar command: its command line; empty when it did not say.
    """

    def __init__(self, data_dir: Path, *, pid: int = 0, since: str = "", command: str = "") -> None:
        self.pid, self.since, self.command = pid, since, command
        holder = f"process {pid} ({command}) since {since}" if pid else "another process"
        super().__init__(
            f"The data directory {data_dir} is in use by {holder}. Stop that one, or choose another directory."
        )
