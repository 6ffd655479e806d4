"""What every command begins with: the settings, and services where it needs them."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from docrefinery import logs
from docrefinery.bootstrap.common import connected
from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.bootstrap.secrets import keyed
from docrefinery.errors import InvalidRequest
from docrefinery.services.audit import operator_acts
from docrefinery.settings import Settings, load
from docrefinery.store.records import Ref, ref_of

T = TypeVar("T")
InTenant = Annotated[str, typer.Option("--tenant", help="Name of the tenant.")]


def settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; command-line options beat them."""
    return load(os.environ, **overrides)


def operate(work: Callable[[Operator], Awaitable[T]]) -> T:
    """Run something with the operator's services."""
    chosen = keyed(connected(settings()))
    # Results go to stdout, and nothing else does.
    logs.configure(chosen, "command")

    async def run() -> T:
        operator_acts()
        async with operator(chosen) as services:
            return await work(services)

    return asyncio.run(run())


def ref(text: str) -> Ref:
    """Read an id: a number or a uuid."""
    try:
        return ref_of(text)
    except ValueError:
        raise InvalidRequest(f"`{text}` is neither a number nor a uuid.") from None


def moment(option: str, text: str | None) -> datetime | None:
    """Read an option that is a time: ISO 8601, UTC if it does not say."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{option} {text}: not an ISO 8601 time, such as 2027-01-31T12:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def subcommands(help_text: str) -> typer.Typer:
    """Make a group of commands that shows its help when none is given."""
    return typer.Typer(help=help_text, no_args_is_help=True)
