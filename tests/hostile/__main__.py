"""Print what becomes of the PDFs in a folder, or of those that are made here; fail if one does harm."""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.hostile.run import SECONDS, Fate, converting, converts_a_good_one, harmful, try_all
from tests.support import hostile


def files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files in a folder and below it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in (".md", ".json"):
            yield path.name, path.read_bytes()


async def table(files: Iterable[tuple[str, bytes]]) -> int:
    """Print a line a file and the sums; returns the exit code."""
    fates = list[Fate]()
    with tempfile.TemporaryDirectory(prefix="docrefinery-hostile-") as name:
        async with converting(Path(name)) as converter:
            async for fate in try_all(converter, Path(name), files):
                print(f"{fate.seconds:7.2f} s  {fate.ending:28} {fate.replaced:14} {fate.name}", flush=True)
                fates.append(fate)
            good = await converts_a_good_one(converter, Path(name))
    endings = Counter(fate.ending for fate in fates)
    replaced = Counter(fate.replaced or "kept" for fate in fates)
    harm = harmful(fates)
    slowest = max((fate.seconds for fate in fates), default=0.0)
    print(f"\n{len(fates)} files, the slowest {slowest:.1f} s (bound {SECONDS:g} s)")
    print("endings:    " + ", ".join(f"{ending} {n}" for ending, n in endings.most_common()))
    print("converters: " + ", ".join(f"{cause} {n}" for cause, n in replaced.most_common()))
    print(f"a good file afterwards: {'converted' if good else 'NOT converted'}")
    print("harm:       " + (", ".join(fate.name for fate in harm) or "none"))
    return 0 if good and not harm else 1


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="PDFs of your own; without one, those made here")
    parser.add_argument("--seed", type=int, default=1, help="of the files made here")
    parser.add_argument("--full", action="store_true", help="hundreds of them, and the largest at full size")
    arguments = parser.parse_args()
    made = hostile.full if arguments.full else hostile.sample
    files = files_in(arguments.folder) if arguments.folder else made(arguments.seed)
    return asyncio.run(table(files))


if __name__ == "__main__":
    sys.exit(main())
