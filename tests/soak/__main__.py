"""Try faults at random, one after the other, and stop at the first promise that is not kept."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.soak import memory
from tests.support import hostile, pdfs
from tests.support.disks import disk
from tests.support.faults import FAULTS
from tests.support.ground import STAGES, BrokenPromise, Ground, StageName, proving_ground

REPORT = Path(__file__).parents[1] / "data/harbour-report.pdf"
# Five of these within a minute, and `up` would rightly give up; a long one is worth as much as many short ones.
RARE = ("database_away", "everything_killed")

DISK_MEBIBYTES = 1536
"""The largest files of a round have 40 MB, and all are kept."""


def others(chosen: random.Random) -> Iterator[bytes]:
    """Yield documents that are processed beside the one that is held: real, quick, slow and long ones."""
    for _ in range(chosen.randint(1, 4)):
        kind = chosen.randrange(4)
        if kind == 0:
            yield REPORT.read_bytes()
        elif kind == 1:
            # Now and then one that several workers read.
            yield pdfs.slow(chosen.choice([*range(1, 7), 48]))
        elif kind == 2:
            yield pdfs.with_figure()
        else:
            yield pdfs.born_digital(chosen.randint(1, 30))


def broken(chosen: random.Random) -> bytes:
    """Return a document that may end in any way."""
    report = REPORT.read_bytes()
    made = (
        pdfs.truncated,
        pdfs.no_pages,
        pdfs.broken_page,
        lambda: pdfs.encrypted("secret"),
        pdfs.giant_page,
        lambda: report[: chosen.randrange(1024, len(report))],
        lambda: next(content for _, content in hostile.flips(report, 1, chosen.randrange(10**6))),
        lambda: hostile.many_objects(10**6),
        hostile.many_pages,
    )
    return chosen.choice(made)()


def one_round(ground: Ground, chosen: random.Random, fault: str, stage: StageName) -> None:
    """Hold a job in a stage, let a fault happen, and check."""
    held = ground.held_in(stage)
    waiting = [ground.submit(content) for content in others(chosen)]
    failing = [ground.submit(broken(chosen))]
    FAULTS[fault](ground, held)
    ground.let_go()
    ground.check([held, *waiting], failing)


def rounds(chosen: random.Random, *, small_disk: bool) -> Iterator[tuple[str, StageName]]:
    """Yield faults and stages: every pair once, in a random order, then again; rare ones with one stage each time."""
    names = [name for name in FAULTS if name not in RARE and (small_disk or name != "storage_full")]
    while True:
        pairs = [(fault, stage) for fault in names for stage in STAGES]
        pairs += [(fault, chosen.choice(STAGES)) for fault in RARE]
        chosen.shuffle(pairs)
        yield from pairs


def soak(home: Path, minutes: float, seed: int) -> int:
    """Run for so long; returns the exit code."""
    print(f"soak: {minutes:g} minutes, SEED={seed}", flush=True)
    chosen, done, started = random.Random(seed), Counter[str](), time.monotonic()
    with disk(home.parent / "probe") as small_disk, proving_ground(home, DISK_MEBIBYTES) as ground:
        for fault, stage in rounds(chosen, small_disk=small_disk):
            at = time.monotonic()
            if at - started > minutes * 60:
                break
            try:
                one_round(ground, chosen, fault, stage)
            except (BrokenPromise, AssertionError) as error:
                print(f"\nBROKEN: {fault} in {stage}, round {done.total() + 1}, SEED={seed}\n{error}\n")
                print(f"The end of the log:\n{ground.own.tail(80)}")
                return 1
            done[fault] += 1
            print(f"{done.total():4} {fault} in {stage}: kept, {time.monotonic() - at:.1f} s", flush=True)
    print(f"soak: {done.total()} rounds in {(time.monotonic() - started) / 60:.1f} minutes, every promise kept")
    return 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--jobs", type=int, default=0, help="so many jobs through one worker, for its memory, instead")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    folder = Path(tempfile.mkdtemp(prefix="docrefinery-soak-"))
    home = folder / "home"
    code = memory.run(home, arguments.jobs) if arguments.jobs else soak(home, arguments.minutes, seed)
    if code == 0:
        shutil.rmtree(folder)
    else:
        print(f"Everything is kept in {folder}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
