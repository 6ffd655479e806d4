"""``docrefinery models``."""

from typing import Annotated, Any

import typer

from docrefinery.capabilities.checkpoints import CHECKPOINTS, Checkpoint, Found, examine
from docrefinery.capabilities.checksums import wrong_files
from docrefinery.capabilities.models import DOWNLOAD, installed_models, missing_packages
from docrefinery.cli.context import settings, subcommands
from docrefinery.cli.output import AsJson, errors, show, tell
from docrefinery.errors import InvalidRequest

app = subcommands("Download Docling's models, and see which there are.")

COLUMNS = ("for", "model", "state", "detail")
PARTS = ", ".join(checkpoint.part for checkpoint in CHECKPOINTS)


@app.command("status")
def status(
    verify: Annotated[bool, typer.Option("--verify", help="Compare every file with what the hub has.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which of Docling's models are here; exits with 1 if layout and tables cannot run on them."""
    folder = settings().models_folder
    found = [examine(folder, checkpoint) for checkpoint in CHECKPOINTS]
    rows = [_row(each, verify=verify) for each in found]
    show(rows, COLUMNS, as_json=as_json)
    there = installed_models(folder)
    if not as_json:
        lacks = missing_packages()
        tell(f"Folder: {folder}")
        tell(f"Packages: {lacks or 'installed'}")
        if any(row["state"] in ("missing", "broken", "wrong") for row in rows):
            tell(f"Get what is not ready with: {DOWNLOAD}")
    if any(row["state"] == "wrong" for row in rows) or not there.usable:
        raise typer.Exit(1)


@app.command("download")
def download(
    only: Annotated[list[str] | None, typer.Option(help=f"What to download: {PARTS}. May be repeated.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch everything again.")] = False,
) -> None:
    """Download Docling's models into DOCREFINERY_MODELS_DIR; workers use them once they are started again."""
    from docrefinery.engine.models.download import DownloadFailed, download as fetch

    folder, chosen = settings().models_folder, _chosen(only or [])
    try:
        fetch(folder, chosen, tell, progress=errors.is_terminal, force=force)
    except DownloadFailed as error:
        tell(f"docrefinery: {error}")
        raise typer.Exit(1) from None
    count = "1 model is" if len(chosen) == 1 else f"{len(chosen)} models are"
    tell(f"{count} in {folder}. Start the workers again to use them.")
    if lacks := missing_packages():
        tell(f"They cannot be used yet: {lacks}")


def _chosen(only: list[str]) -> list[Checkpoint]:
    known = {checkpoint.part: checkpoint for checkpoint in CHECKPOINTS}
    if unknown := [part for part in only if part not in known]:
        raise InvalidRequest(f"There is no model for `{unknown[0]}`; there are {PARTS}.")
    return [checkpoint for part, checkpoint in known.items() if not only or part in only]


def _row(found: Found, *, verify: bool) -> dict[str, Any]:
    state: str = found.state
    detail = f"{found.size_bytes / 10**6:,.0f} MB"
    match state:
        case "missing":
            detail = f"{found.checkpoint.megabytes} MB to download"
        case "broken":
            detail = found.problem
        case "ready" if verify:
            state, detail = _verified(found, detail)
    return {
        "model": found.name,
        "for": found.checkpoint.purpose,
        "state": state,
        "detail": detail,
        "size_bytes": found.size_bytes,
        "commit": found.commit,
    }


def _verified(found: Found, detail: str) -> tuple[str, str]:
    """Return state and detail by the hashes of a model's files."""
    try:
        wrong = wrong_files(settings().models_folder, found.checkpoint)
    except OSError as error:
        return "broken", f"cannot be read: {error.strerror or error}"
    if wrong is None:
        return "unverified", f"{detail}; no list of its files to compare with"
    return ("wrong", f"not what the hub has: {', '.join(wrong)}") if wrong else ("ready", detail)
