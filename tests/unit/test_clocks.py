"""Leases, retries and waits are on the database's clock: a process whose own clock jumps decides nothing by it."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src/docrefinery"
WALL_CLOCKS = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.clock_gettime", "time.strftime", "time.ctime",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now", "datetime.date.today",
}  # fmt: skip
TOLD = {
    # What others are told of the moment; their own clocks judge it.
    "services/webhooks/sending.py": "the time in a signature",
    "services/webhooks/endpoints.py": "the time of a ping",
    "services/rates.py": "seconds until a client may ask again; whether it may is Valkey's",
    "services/storage.py": "how old a blob is, by the storage's own time",
    "embedded/lock.py": "since when a data directory is held, for a person",
    # Somebody else's process.
    "client/asking.py": "seconds until a date in a Retry-After",
    "tracing/__init__.py": "spans of several hosts are shown together",
    "webhooks.py": "a receiver judges the age of a signature",
    # An operator set a moment of the calendar.
    "services/keys.py": "a key has expired",
}


def asked(path: Path) -> list[str]:
    """Return the calls of wall clocks in a file."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [name for name in (ast.unparse(call.func) for call in calls) if name in WALL_CLOCKS]


def test_no_decision_is_made_by_the_clock_of_a_process() -> None:
    found = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if asked(path)}
    assert found == set(TOLD)


def test_bare_time_is_not_imported_under_its_own_name() -> None:
    bare = [
        path
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "time"
        and {"time", "time_ns"} & {n.name for n in node.names}
    ]
    assert bare == []
