"""Write the tables of docs/configuration.md and docs/errors.md from the code; ``--check`` only compares."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import NODEFAULT

from docrefinery import errors, settings
from docrefinery.api.problems import STATUS
from docrefinery.errors import JobError, RefineryError

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- from the code: `make docs` -->", "<!-- end -->"
COMPUTED = {
    "DOCREFINERY_DATA_DIR": "`/var/lib/docrefinery` for root, else the user's data folder",
    "DOCREFINERY_WORKERS": "the number of cores",
    **dict.fromkeys(("DOCREFINERY_KEEP_FILES", "DOCREFINERY_KEEP_ARTIFACTS", "DOCREFINERY_KEEP_JOBS"), "`forever`"),
    "DOCREFINERY_KEEP_TOMBSTONES": "`366d`",
}


def configuration() -> str:
    """Return the table of settings."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in settings.variables().items():
        rows.append(f"| `{name}` | {COMPUTED.get(name, _default(field.default))} | {settings.description(field)} |")
    return "\n".join(rows)


def _default(value: object) -> str:
    if value in ("", (), None, NODEFAULT):
        return ""
    return f"`{','.join(map(str, value)) if isinstance(value, tuple) else str(value).lower()}`"


def _codes() -> Iterator[type[RefineryError]]:
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, RefineryError) and kind.error_code:
            yield kind


def error_codes() -> str:
    """Return the table of codes."""
    rows = ["| code | HTTP | job | meaning |", "| --- | --- | --- | --- |"]
    for kind in sorted(_codes(), key=lambda kind: (STATUS.get(kind, 999), kind.error_code)):
        job = ("yes, again later" if kind.retryable else "yes") if issubclass(kind, JobError) else ""
        meaning = " ".join((inspect.getdoc(kind) or "").split())
        rows.append(f"| `{kind.error_code}` | {STATUS.get(kind, '')} | {job} | {meaning} |")
    return "\n".join(rows)


def updated(text: str, table: str) -> str:
    """Return a page with the table between its marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


PAGES = {"configuration.md": configuration, "errors.md": error_codes}


def stale() -> list[str]:
    """Return the pages whose table is not what the code says."""
    return [
        name
        for name, table in PAGES.items()
        if updated((DOCS / name).read_text(), table()) != (DOCS / name).read_text()
    ]


def main() -> None:
    """Write or compare."""
    if "--check" in sys.argv:
        if names := stale():
            sys.exit(f"Out of date: {', '.join(names)}; run `make docs`.")
        return
    for name, table in PAGES.items():
        path = DOCS / name
        path.write_text(updated(path.read_text(), table()))


if __name__ == "__main__":
    main()
