"""``docrefinery storage``."""

from typing import Annotated, Any

import typer

from docrefinery.cli.context import operate, subcommands
from docrefinery.cli.encryption import encrypt, rewrap, shred
from docrefinery.cli.output import AsJson, show, show_one, tell
from docrefinery.services.storage import Report

app = subcommands("Look after what is stored.")


app.command()(encrypt)
app.command()(rewrap)
app.command()(shred)


@app.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is found.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Repair although most rows have no blob, or most blobs no row.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for blobs without a row, rows without a blob, and wrong counters; exit 1 if there are any left."""
    report = operate(lambda services: services.storage.check(repair=repair, force=force))
    if as_json:
        show_one({name: getattr(report, name) for name in report.__struct_fields__}, "", as_json=True)
    else:
        _show(report)
    if not (report.clean or report.repaired):
        raise typer.Exit(1)


def _show(report: Report) -> None:
    if rows := _rows(report):
        show(rows, ("what", "which"), as_json=False)
    tell(f"{report.blobs} blobs, {report.rows} documents and artifacts: {_verdict(report)}.")


def _verdict(report: Report) -> str:
    if report.clean:
        return "all is well"
    return "repaired" if report.repaired else "`docrefinery storage check --repair` puts this right"


def _rows(report: Report) -> list[dict[str, Any]]:
    return [
        *({"what": "blob without a row", "which": key} for key in report.orphans),
        *({"what": "foreign file, left alone", "which": key} for key in report.foreign),
        *({"what": "half-written file", "which": path} for path in report.half_written),
        *(
            {"what": f"{row.table[:-1]} without its blob", "which": f"{row.id}: {row.blob_key}"}
            for row in report.missing
        ),
        *(
            {"what": "wrong counters", "which": f"{each.name}: {each.counted_bytes} bytes counted, {each.bytes} there"}
            for each in report.miscounted
        ),
    ]
