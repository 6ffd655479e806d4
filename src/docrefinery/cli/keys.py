"""``docrefinery key``."""

from typing import Annotated, Any

import typer

from docrefinery.cli.context import moment, operate, ref, subcommands
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.model import Scope
from docrefinery.store.records import KeyRecord

app = subcommands("Create, list, set up and revoke API keys.")

COLUMNS = ("id", "tenant", "name", "prefix", "scopes", "expires_at", "revoked_at")
SHOWN = (
    "id",
    "uuid",
    "name",
    "prefix",
    "scopes",
    "options",
    "default_profile",
    "created_at",
    "expires_at",
    "revoked_at",
)
KeyId = Annotated[str, typer.Argument(help="Number or uuid of the key.")]


def row_of(key: KeyRecord) -> dict[str, Any]:
    """Show a key without its hash."""
    return {name: getattr(key, name) for name in SHOWN} | {"tenant": key.tenant_name}


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="Name of the tenant.")],
    scope: Annotated[list[str], typer.Option(help=f"What the key may do; repeat it, or `all`: {', '.join(Scope)}.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
    expires_at: Annotated[str | None, typer.Option(help="When it ends (ISO 8601, UTC if not said).")] = None,
    options: Annotated[str, typer.Option(help="Default options, a JSON object.")] = "{}",
    profile: Annotated[str | None, typer.Option(help="Default profile.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create an API key. It is shown this once."""
    scopes = [part for text in scope for part in text.replace(",", " ").split()]
    issued = operate(
        lambda services: services.tenants.issue_key(
            tenant,
            list(Scope) if scopes == ["all"] else scopes,
            name=name,
            expires_at=moment("--expires-at", expires_at),
            option_text=options,
            profile=profile,
        )
    )
    show_one(
        row_of(issued.record) | {"key": issued.key}, f"{issued.key}\nKeep it: it is not shown again.", as_json=as_json
    )


@app.command("list")
def list_all(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None, as_json: AsJson = False
) -> None:
    """List API keys."""
    keys = operate(lambda services: services.tenants.list_keys(tenant))
    show([row_of(key) for key in keys], COLUMNS, as_json=as_json)


@app.command("set")
def set_up(
    key: KeyId,
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    options: Annotated[str | None, typer.Option(help="Default options, a JSON object.")] = None,
    profile: Annotated[str | None, typer.Option(help="Default profile; an empty text removes it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set a key's name and defaults; what is not given stays."""
    record = operate(
        lambda services: services.tenants.set_key(ref(key), name=name, option_text=options, profile=profile)
    )
    show_one(row_of(record), f"Key {record.id} ({record.prefix}) set.", as_json=as_json)


@app.command()
def revoke(key: KeyId, as_json: AsJson = False) -> None:
    """Revoke an API key, at once."""
    revoked = operate(lambda services: services.tenants.revoke_key(ref(key)))
    show_one(row_of(revoked), f"Key {revoked.id} ({revoked.prefix}) is revoked.", as_json=as_json)
