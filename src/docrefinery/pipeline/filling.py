"""How much a child has written to its folder."""

import math
import os
from pathlib import Path

_MOST_ENTRIES = 100_000
"""Files and folders of one child; an honest one makes some dozens."""


def written_bytes(folder: Path, at_most: int) -> float:
    """Return what the files below a folder take of the disk, counting no further than beyond ``at_most``.

    What cannot be counted is beyond every bound: too many entries, or folders too deep or closed to this side.
    """
    total, entries, waiting = 0, 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    total += _blocks(entry)
                    if total > at_most:
                        return total
                    if entries > _MOST_ENTRIES:
                        return math.inf
        except (FileNotFoundError, NotADirectoryError):
            continue  # It has gone meanwhile.
        except OSError:
            return math.inf
    return total


def _blocks(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0
