"""What commands print: a table for people, JSON for machines; results to stdout, progress to stderr."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from unicodedata import category

import msgspec
import typer
from msgspec import Raw
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

errors = Console(stderr=True, highlight=False)


def tell(text: str) -> None:
    """Print a line of progress as it is: paths stay whole, and brackets are no markup."""
    errors.print(text, soft_wrap=True, markup=False)


def printable(text: str) -> str:
    """Return a text without anything that moves a terminal's cursor or breaks a line, spelled as JSON does instead."""
    # Spaces of every width are harmless, and in many names.
    return "".join(c if c.isprintable() or category(c) == "Zs" else json.dumps(c)[1:-1] for c in text)


def encodable(text: str) -> str:
    """Return a text in which bytes of no known encoding, such as a file's name may have, are spelled out."""
    return text.encode(errors="backslashreplace").decode()


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a list of things; the table has only ``columns``."""
    if as_json:
        typer.echo(_json(list(rows)))
        return
    # A long name is folded, since one that is cut off cannot be copied.
    shown = [Column(name, overflow="fold") for name in columns]
    table = Table(*shown, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        # As text, since `docrefinery[models]` is no markup.
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    Console(highlight=False).print(table)


def show_one(row: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print one thing as JSON, or a sentence about it."""
    typer.echo(_json(row) if as_json else sentence)


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case list() | tuple():
            return " ".join(str(part) for part in value)
        case Raw():
            return bytes(value).decode()
        case _:
            return str(value)
