"""The command itself: options in, an exit code out."""

import asyncio
import math
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from docrefinery.cli.output import printable, tell
from docrefinery.cli.push.folders import Folders
from docrefinery.cli.push.inputs import collect
from docrefinery.cli.push.journal import InUse, Journal
from docrefinery.cli.push.outcomes import Summary
from docrefinery.cli.push.pushing import Pushing, Stop, Wanted
from docrefinery.cli.push.showing import shown_as
from docrefinery.client import AsyncClient, ClientError, ConfigurationError, MissingArtifacts, Patience, Plan
from docrefinery.client.connection import API_KEY, SERVER
from docrefinery.client.operations import Processing

FAILED, USAGE, INTERRUPTED = 1, 2, 130
FIRST_CONTACT = Patience(unreachable=5, busy=60)
"""A wrong address is noticed at once; later, a service that is started anew is waited for."""


def push(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="PDFs, folders of PDFs, or - for a list of them from stdin.", show_default=False),
    ] = None,
    server: Annotated[str | None, typer.Option(help="URL of the service, or $DOCREFINERY_SERVER.")] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File with the API key; without, it is $DOCREFINERY_API_KEY.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Extraction profile.")] = None,
    option_text: Annotated[str, typer.Option("--options", help="Docling options, a JSON object.")] = "{}",
    out: Annotated[Path, typer.Option(help="Folder that gets a folder for each file.")] = Path("converted"),
    artifacts: Annotated[str, typer.Option(help="Kinds to fetch, separated by commas; else all.")] = "",
    from_file: Annotated[Path | None, typer.Option(help="File with a path on each line.")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Files sent, and fetched, at a time.")] = 4,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a service that cannot be reached.")
    ] = 300.0,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the results and fetch them.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each file.")] = False,
) -> None:
    """Send files to a service and fetch their results; what it has, and what is here, is passed over.

    Exits with 1 if a file failed, with 2 if it was asked wrongly or the key is not accepted. Ctrl-C ends it at once,
    and the next run goes on from there.
    """
    processing: Processing = {"profile": profile, "options": _options(option_text)}
    kinds = tuple(filter(None, (kind.strip() for kind in artifacts.split(","))))
    inputs, told = collect(_names(files or [], from_file))
    if not (inputs or told):
        _refuse("There is nothing to push: name PDFs, or folders with PDFs in them.")
    show = shown_as(as_json=as_json)
    patient = Patience(unreachable=patience, busy=math.inf, told=lambda why, seconds: show.waits(str(why), seconds))
    key = _key(api_key_file)
    if not (os.environ.get(SERVER, "") if server is None else server).strip():
        _refuse(f"There is no server: name it with --server, or set {SERVER}, such as https://refinery.example.")

    def client(patience: Patience) -> AsyncClient:
        return AsyncClient(server, api_key=key, patience=patience, connections=2 * jobs + 2)

    async def work() -> None:
        async with client(FIRST_CONTACT) as first:
            plan = await _first_contact(first, processing, kinds)
        wanted = Wanted(processing=processing, plan=plan, kinds=kinds, wait=wait, parallel=jobs)
        async with client(patient) as lasting:
            pushing = Pushing(lasting, wanted, summary, journal, show)
            await pushing.run(inputs, Folders(inputs, out, journal), told)

    summary = Summary()
    with closing(_journal(out)) if wait else nullcontext() as journal:
        code, reason = _ended(work)
    if summary.files:
        show.end(summary)
    if reason:
        _refuse(reason, code)
    raise typer.Exit(FAILED if summary.failures else 0)


def _ended(work: Callable[[], Coroutine[None, None, None]]) -> tuple[int, str]:
    """Run it, and return why it did not come to its end, with the exit code for that."""
    try:
        asyncio.run(work())
    except Stop as stop:
        return USAGE if stop.usage else FAILED, str(stop)
    except (ConfigurationError, MissingArtifacts) as error:
        return USAGE, str(error)
    except KeyboardInterrupt:
        return INTERRUPTED, "Interrupted; the next run goes on from here."
    return 0, ""


async def _first_contact(client: AsyncClient, processing: Processing, kinds: Sequence[str]) -> Plan:
    """See whether there is a service that takes the key, and return what it makes of what is asked.

    :raises Stop: if not, or if it refuses what is asked of every file.
    :raises MissingArtifacts: if nothing there can make some of ``kinds``.
    """
    try:
        plan = await client.plan(**processing)
        known = {exporter.kind async for exporter in client.exporters()} if kinds else set[str]()
    except ClientError as error:
        raise Stop(error) from error
    if unknown := set(kinds) - known:
        raise MissingArtifacts(unknown, known)
    return plan


def _options(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        _refuse(f"--options is not a JSON object: {error}.")


def _key(file: Path | None) -> str | None:
    if file is None:
        if not os.environ.get(API_KEY):
            _refuse(f"There is no API key: name a file with --api-key-file, or set {API_KEY}.")
        return None
    try:
        key = file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        _refuse(f"The key cannot be read from {file}.")
    return key or _refuse(f"There is no key in {file}: it is empty.")


def _names(files: Sequence[str], from_file: Path | None) -> list[str]:
    """Return what was named, lists included."""
    names: list[str] = []
    for name in files:
        names += _listed(sys.stdin.buffer.read()) if name == "-" else [name]
    if from_file is not None:
        try:
            names += _listed(from_file.read_bytes())
        except OSError as error:
            _refuse(f"The list cannot be read: {error.strerror}: {from_file}.")
    return names


def _listed(text: bytes) -> list[str]:
    return [os.fsdecode(line) for line in text.splitlines() if line.strip()]


def _journal(out: Path) -> Journal:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return Journal(out)
    except InUse:
        _refuse(f"Another push writes to {out}; wait for its end, or name another folder with --out.")
    except OSError as error:
        _refuse(f"Results cannot be written to {out}: {error.strerror}. Name another folder with --out.")


def _refuse(reason: str, code: int = USAGE) -> NoReturn:
    tell(f"docrefinery: {printable(reason)}")
    raise typer.Exit(code)
