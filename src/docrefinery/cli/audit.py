"""``docrefinery audit``."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from docrefinery.bootstrap.operator import Operator
from docrefinery.cli.context import moment, operate
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.errors import InvalidRequest
from docrefinery.services.audit import Action
from docrefinery.store.audit import Entry, Filters
from docrefinery.store.sql.audit_rows import STAYS_DAYS

app = typer.Typer(help="Show who did what, and prune what is old.")


def _row(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__ if name != "xid"}


def _line(entry: Entry) -> str:
    """Show an entry as a line of a log: a table of so many columns fits no terminal."""
    who = f"{entry.actor_kind} {entry.key_id or ''} {entry.actor}"
    parts = (
        f"{entry.happened_at:%Y-%m-%d %H:%M:%S}",
        entry.action,
        entry.object,
        entry.outcome,
        f"by {' '.join(who.split())}",
        entry.client and f"from {entry.client}",
        entry.tenant and f"tenant {entry.tenant}",
        bytes(entry.details).decode().replace("{}", ""),
    )
    return "  ".join(part for part in parts if part)


@app.callback(invoke_without_command=True)
def audit(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only what is about this tenant.")] = None,
    action: Annotated[str | None, typer.Option(help=f"Only this: {', '.join(Action)}.")] = None,
    since: Annotated[str | None, typer.Option(help="At this time or later (ISO 8601, UTC if not said).")] = None,
    until: Annotated[str | None, typer.Option(help="At this time or earlier.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the newest.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes; Ctrl-C ends it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries of the audit log, the newest last."""
    if context.invoked_subcommand is not None:
        return
    if action is not None and action not in list(Action):
        raise InvalidRequest(f"`{action}` is not an action; there are {', '.join(Action)}.")
    within = moment("--since", since), moment("--until", until)

    async def filters(services: Operator) -> Filters:
        tenant_id = (await services.tenants.get(tenant)).id if tenant else None
        return Filters(tenant_id=tenant_id, action=action, since=within[0], until=within[1])

    async def newest(services: Operator) -> Sequence[Entry]:
        return await services.audit.newest(await filters(services), limit)

    async def go_on(services: Operator) -> None:
        async for entry in services.audit.follow(await filters(services), limit):
            typer.echo(msgspec.json.encode(_row(entry)).decode() if as_json else _line(entry))

    if follow:
        operate(go_on)
        return
    entries = operate(newest)
    if as_json:
        show([_row(entry) for entry in entries], (), as_json=True)
        return
    for entry in entries:
        typer.echo(_line(entry))


@app.command()
def prune(
    older_than: Annotated[int, typer.Option(min=STAYS_DAYS, max=36_500, help="Days that are kept.")],
    as_json: AsJson = False,
) -> None:
    """Remove old entries, as the role that owns the schema; that is noted in the log."""
    removed = operate(lambda services: services.audit.prune(older_than))
    show_one({"removed": removed}, f"{removed} entries older than {older_than} days are removed.", as_json=as_json)
