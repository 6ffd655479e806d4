"""What every command begins with: the settings, and services where it needs them."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from docrefinery import logs
from docrefinery.bootstrap.common import connected
from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.errors import InvalidRequest
from docrefinery.settings import Settings, load
from docrefinery.store.records import Ref, ref_of

T = TypeVar("T")
InTenant = Annotated[str, typer.Option("--tenant", help="Name of the tenant.")]


def settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; command-line options beat them."""
    return load(os.environ, **overrides)


def operate(work: Callable[[Operator], Awaitable[T]]) -> T:
    """Run something with the operator's services."""
    chosen = connected(settings())
    # Results go to stdout, and nothing else does.
    logs.configure(chosen, "command")

    async def run() -> T:
        async with operator(chosen) as services:
            return await work(services)

    return asyncio.run(run())


def ref(text: str) -> Ref:
    """Read an id: a number or a uuid."""
    try:
        return ref_of(text)
    except ValueError:
        raise InvalidRequest(f"`{text}` is neither a number nor a uuid.") from None


def subcommands(help_text: str) -> typer.Typer:
    """Make a group of commands that shows its help when none is given."""
    return typer.Typer(help=help_text, no_args_is_help=True)
