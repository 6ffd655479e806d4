"""What the geometric engine makes of a quality set, beside Docling's native pipeline: ``make bench-quality``."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.engines import ENGINES, Converted, Engine, alone, convert_all, peak_mib
from bench.long import join_pages
from bench.scoring import QualityError, QualitySet, Scores, check_scorer, collection, quality_set, score

METRICS = ("body", "nid", "mhs", "mhs_h", "teds", "teds_s", "recall", "false_t")
LONG = 400
_NARROWEST = 100


def quality_table(quality: QualitySet, scores: dict[str, Scores], converted: dict[str, Converted]) -> Table:
    """Return a table with a row for each collection and engine, and the same for all."""
    table = Table("collection", "engine", box=None, header_style="bold", pad_edge=False)
    for name in (*METRICS, "failed", "empty"):
        table.add_column(name, justify="right")
    for group in (*quality.collections, "all"):
        paths = [path for path in quality.paths if group in ("all", collection(path))]
        names = {path.stem for path in paths}
        for number, (engine, found) in enumerate(scores.items()):
            means = found.all if group == "all" else found.collections.get(group, {})
            counts = (len(names.intersection(stems)) for stems in (converted[engine].failed, converted[engine].empty))
            label = f"{group} ({len(paths)})" if number == 0 else ""
            table.add_row(label, engine, *(_shown(means.get(name)) for name in METRICS), *map(str, counts))
        table.add_section()
    return table


def cost_table(converted: dict[str, Converted], peaks: dict[str, str], pages: int) -> Table:
    """Return a table of what a page costs each engine, and a document of many pages."""
    table = Table("cost", *converted, box=None, header_style="bold", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    exports = "with markdown, text, doctags and JSON"
    each = [(entry.document_ms, entry.exports_ms, max(1, entry.pages)) for entry in converted.values()]
    table.add_row("CPU ms a page, to the document", *(f"{document / count:.1f}" for document, _, count in each))
    table.add_row(f"CPU ms a page, {exports}", *(f"{(document + more) / count:.1f}" for document, more, count in each))
    table.add_row(f"peak memory of {pages} pages, MiB", *(peaks[engine] for engine in converted))
    return table


def _shown(value: float | None) -> str:
    match value:
        case None:
            return "-"
        case int():
            return str(value)
        case _:
            return f"{value:.3f}"


def _peak(make: Callable[[], Engine], path: Path) -> str:
    try:
        return f"{alone(peak_mib, make, path):.0f}"
    except Exception as error:  # noqa: BLE001 - one figure less, and minutes of others are kept
        return f"failed ({type(error).__name__})"


def measure(quality: QualitySet, console: Console) -> None:
    """Convert, score, and print what came of it."""
    converted, scores, peaks = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        long = Path(scratch, "long.pdf")
        pages = alone(join_pages, quality.paths, LONG, long)
        if pages == 0:
            raise QualityError(f"None of the PDFs in {quality.folder / 'pdfs'} can be read.")
        for name, make in ENGINES.items():
            predictions = Path(scratch, name)
            predictions.mkdir()
            with console.status(f"{name}: {len(quality.paths)} documents"):
                converted[name] = alone(convert_all, make, quality.paths, predictions)
                scores[name] = score(quality, predictions)
                peaks[name] = _peak(make, long)
    console.print(quality_table(quality, scores, converted))
    console.print()
    console.print(cost_table(converted, peaks, pages))
    for name, entry in converted.items():
        for stem, reason in entry.failed.items():
            console.print(f"{name} failed on {stem}: {reason}", markup=False, highlight=False)
    if quality.left_out:
        groups = ", ".join(sorted({collection(path) for path in quality.left_out}))
        console.print(
            f"Left out, since they have no text: {len(quality.left_out)} documents of {groups} (--image-only has them)."
        )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="make bench-quality", description=__doc__)
    parser.add_argument("folder", type=Path, help="with pdfs/, ground-truth/ and score.py")
    parser.add_argument("--image-only", action="store_true", help="also convert documents that have no text")
    chosen = parser.parse_args()
    console = Console(highlight=False)
    console.width = max(_NARROWEST, console.width)
    try:
        quality = quality_set(chosen.folder, image_only=chosen.image_only)
        check_scorer(chosen.folder)
        measure(quality, console)
    except QualityError as error:
        sys.exit(str(error))
    except BrokenProcessPool:
        sys.exit("An engine's process ended without an answer: perhaps there was no memory left.")


if __name__ == "__main__":
    main()
