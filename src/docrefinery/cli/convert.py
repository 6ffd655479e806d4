"""``docrefinery convert``: the pipeline without a server, the scan included."""

import asyncio
import dataclasses
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, assert_never

import msgspec
import typer
from msgspec import Raw
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from docrefinery.bootstrap.common import child_limits, describer_of, registry_of, scanner_of, seclusion_of
from docrefinery.bootstrap.jail import command_scratch, require_jail
from docrefinery.bootstrap.models import models_of
from docrefinery.capabilities import NONE
from docrefinery.cli.context import settings
from docrefinery.cli.output import errors, printable
from docrefinery.errors import InvalidRequest
from docrefinery.model import ALWAYS_EXPORTED
from docrefinery.pipeline import outcomes
from docrefinery.pipeline.converter import Converter, ConverterUnavailable
from docrefinery.pipeline.publishing import file_name
from docrefinery.pipeline.scanning import Scanning, unscannable
from docrefinery.plugin import Clean, Infected, ScannerDown, Unscannable
from docrefinery.plugin.registry import Registry
from docrefinery.services import options
from docrefinery.services.options import Effective
from docrefinery.settings import Settings

Files = Annotated[list[Path], typer.Argument(help="PDFs to convert.", show_default=False)]


def convert(
    files: Files,
    profile: Annotated[str | None, typer.Option(help="Extraction profile.")] = None,
    option_text: Annotated[str, typer.Option("--options", help="Docling options, a JSON object.")] = "{}",
    out: Annotated[Path, typer.Option(help="Folder that gets a folder for each file.")] = Path("converted"),
    debug_layout: Annotated[
        Path | None,
        typer.Option(
            help="Folder that gets a picture of each page with what was recognised on it.", show_default=False
        ),
    ] = None,
) -> None:
    """Convert files without a server; exits with 1 if any of them failed."""
    if debug_layout is not None:
        _make_writable(debug_layout)
    chosen = settings()
    registry = registry_of(chosen)
    effective = options.effective(
        chosen,
        registry,
        options.Defaults(tenant=Raw(b"{}"), key=Raw(b"{}"), profile=None),
        profile=profile,
        requested=options.decode(option_text),
    )
    for name in effective.ignored:
        errors.print(f"[yellow]ignored[/] option {escape(name)}")
    asked = dataclasses.replace(_asked(effective, registry, chosen), draws_layout=debug_layout is not None)
    models = models_of(chosen) if asked.engine != "geometric" else NONE
    with command_scratch(chosen) as scratch:
        require_jail(chosen, scratch)
        converter = Converter(
            child_limits(chosen), chosen.plugins, scratch, describer_of(chosen), models, seclusion_of(chosen)
        )
        scanning = Scanning(scanner_of(registry, chosen), converter, chosen.environ)
        for warning in scanning.warnings:
            errors.print(f"[yellow]{warning.code}[/] {escape(warning.message)}", soft_wrap=True)
        failed = asyncio.run(_convert_all(scanning, converter, registry, asked, files, out, debug_layout, scratch))
    if failed:
        errors.print(f"{failed} of {len(files)} files failed.")
        raise typer.Exit(1)


async def _convert_all(
    scanning: Scanning,
    converter: Converter,
    registry: Registry,
    asked: outcomes.Task,
    files: list[Path],
    out: Path,
    drawings: Path | None,
    scratch: Path,
) -> int:
    failed, missing = 0, {source for source in files if not source.is_file()}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=errors) as progress:
            for source, folder in zip(files, _folders(files, out), strict=True):
                bar = progress.add_task(_short(printable(source.name)), total=None)

                def tell(now: outcomes.Progress, bar: TaskID = bar) -> None:
                    progress.update(bar, completed=now.pages_done, total=now.pages_total or None)

                with tempfile.TemporaryDirectory(dir=scratch) as workdir:
                    result = (
                        "there is no such file, or it is a folder"
                        if source in missing
                        else await _convert_one(scanning, converter, _of_file(asked, source, workdir), tell)
                    )
                    progress.remove_task(bar)
                    reason = result if isinstance(result, str) else _placed(result, registry, source, folder, drawings)
                    if reason:
                        failed += 1
                        errors.print(f"[red]failed[/] {escape(printable(f'{source}: {reason}'))}", soft_wrap=True)
                    else:
                        errors.print(f"[green]done[/] {escape(printable(str(folder)))}", soft_wrap=True)
    finally:
        await converter.close()
    return failed


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:31]}…"


def _folders(files: list[Path], out: Path) -> list[Path]:
    """Return each file's folder; files of one name from several places get numbers."""
    taken: set[str] = set()
    folders = []
    for source in files:
        name, number = source.stem, 1
        while name in taken:
            number += 1
            name = f"{source.stem}-{number}"
        taken.add(name)
        folders.append(out / name)
    return folders


async def _convert_one(
    scanning: Scanning, converter: Converter, task: outcomes.Task, tell: Callable[[outcomes.Progress], None]
) -> outcomes.Converted | str:
    """Scan and convert a file; what went wrong comes back as a sentence."""
    try:
        match await scanning.scan(task.source):
            case Clean():
                outcome = await converter.convert(task, tell)
                return outcome if isinstance(outcome, outcomes.Converted) else _sentence(outcome)
            case Infected(signature=signature):
                return f"MALWARE_DETECTED: the scanner recognised {signature}"
            case Unscannable() as verdict:
                return f"SCANNER_UNAVAILABLE: {unscannable(verdict)}"
            case ended:
                return _sentence(ended)
    except ScannerDown as error:
        return f"SCANNER_UNAVAILABLE: {error}"
    except ConverterUnavailable as error:
        return str(error)


def _sentence(outcome: outcomes.Outcome) -> str:
    match outcome:
        case outcomes.Rejected():
            return f"{outcome.code}: {outcome.message}"
        case outcomes.TimedOut():
            return f"CONVERSION_TIMEOUT: it took longer than {outcome.seconds:g} s"
        case outcomes.Crashed():
            return f"WORKER_CRASHED: {outcome.reason}"
        case outcomes.Canceled() | outcomes.Converted():
            return "it was stopped"
        case _:
            assert_never(outcome)


def _asked(effective: Effective, registry: Registry, chosen: Settings) -> outcomes.Task:
    """Return what is asked of every file; the file itself is filled in later."""
    exports = list(dict.fromkeys((*effective.exports, ALWAYS_EXPORTED)))
    return outcomes.Task(
        source=Path(),
        name="",
        workdir=Path(),
        options=msgspec.json.decode(msgspec.json.encode(effective.options)),
        exports=exports,
        content_types=registry.content_types(exports),
        timeout_seconds=effective.options["document_timeout"],
        engine=registry.engine_for(effective.profile, chosen.engine),
        ocr_engine=chosen.ocr_engine,
    )


def _of_file(asked: outcomes.Task, source: Path, workdir: str) -> outcomes.Task:
    # The child is told in UTF-8, which has no way to write some names.
    name = source.name.encode(errors="replace").decode()
    return dataclasses.replace(asked, source=source.absolute(), name=name, workdir=Path(workdir))


def _make_writable(folder: Path) -> None:
    """Make a folder, before hours of work whose results could not be written.

    :raises InvalidRequest: if it is not one, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InvalidRequest(
            f"The pictures of the layout cannot be written to {folder}: {error.strerror}. Name another folder."
        ) from None


def _placed(
    converted: outcomes.Converted, registry: Registry, source: Path, folder: Path, drawings: Path | None = None
) -> str:
    """Move a file's artifacts into its folder, and drawings into theirs; return what went wrong, if anything did."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        placed: set[str] = set()
        for artifact in converted.artifacts:
            suffix = registry.exporters[artifact.kind].suffix
            name = file_name(source.name, suffix)
            # Two plugins may have one suffix, and neither result is to be lost.
            name = file_name(source.name, f".{artifact.kind}{suffix}") if name in placed else name
            placed.add(name)
            shutil.move(artifact.path, folder / name)
        if drawings is not None:
            for drawing in converted.drawings:
                shutil.move(drawing.path, drawings / f"{folder.name}-{drawing.page:04d}.png")
    except OSError as error:
        return f"its results cannot be written: {error.strerror or error}: {error.filename or folder}"
    for warning in converted.warnings:
        errors.print(f"[yellow]{warning.code}[/] {escape(printable(f'{source.name}: {warning.message}'))}")
    return ""
