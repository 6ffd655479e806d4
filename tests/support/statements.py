"""SQL statements of the store, found in its source, and whether they say which tenant they are about."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from docrefinery import store
from docrefinery.store.sql.walls import OF_A_TENANT

FOLDER = Path(str(store.__file__)).parent
TENANT_TABLES = {
    *OF_A_TENANT,
    "tenants",
    "job_views",
    "job_events",
    "leases",
    "audit_log",
    "tenant_keys",
    "expired_artifacts",
}
_SQL = re.compile(r"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s")
_NAMES = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|,)\s+\"?(\w+)\"?", re.IGNORECASE)
_OWN = re.compile(r"(?:\"?\w+\"?\.)?\"?tenant_id\"? = \$(\d+)")
_OWN_JOB = re.compile(r"job_of_tenant\(\$1, \$(\d+)")
_OWN_TENANT = re.compile(r"\bid = \$(\d+)")


class Statement(Struct, frozen=True):
    """A statement, and the function or constant that it is written in, such as ``jobs.get``."""

    place: str
    sql: str


def written() -> Iterator[Statement]:
    """Yield every statement of the store's modules; what is put into one by name is put in here too."""
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(f"docrefinery.store.{path.stem}")
        tree = ast.parse(path.read_text())
        for top in tree.body:
            name = getattr(top, "name", None) or _assigned(top)
            for text in _texts(top, module):
                if _SQL.match(text):
                    yield Statement(f"{path.stem}.{name}", " ".join(text.split()))


def _assigned(node: ast.stmt) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _texts(node: ast.AST, module: ModuleType) -> Iterator[str]:
    """Yield the outermost texts of a node; a text and what is added to it are one."""
    if isinstance(node, ast.Name):  # a constant, looked at where it is written
        return
    text = _text(node, module)
    if text is not None:
        yield text
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, module)


def _text(node: ast.AST, module: ModuleType) -> str | None:
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_text(value, module) or "" for value in values)
        case ast.FormattedValue(value=value):
            return _text(value, module) or "id"
        case ast.Name(id=name):
            constant = getattr(module, name, None)
            return constant if isinstance(constant, str) else None
        case ast.BinOp(left=left, op=ast.Add(), right=right) if (before := _text(left, module)) is not None:
            # An addition that depends on something (`+ (" FOR UPDATE" if lock else "")`) adds no table.
            return before + (_text(right, module) or "")
    return None


def selects() -> Iterator[tuple[str, bool]]:
    """Yield each select that is built from a table, and whether its first condition is the tenant."""
    for path in sorted(FOLDER.glob("*.py")):
        for top in ast.parse(path.read_text()).body:
            calls = [node for node in ast.walk(top) if isinstance(node, ast.Call)]
            held = set()
            for call in calls:
                where = call.func
                if not (isinstance(where, ast.Attribute) and where.attr == "where" and call.args):
                    continue
                if re.fullmatch(r"\w+\.tenant_id == tenant_id", ast.unparse(call.args[0])):
                    held.add(where.value)
            for call in calls:
                if isinstance(call.func, ast.Attribute) and call.func.attr == "select":
                    yield f"{path.stem}.{getattr(top, 'name', '')}", call in held


def unheld(sql: str) -> list[str]:
    """Return the tables of tenants that a statement touches without naming the tenant beside them.

    Each query within the statement is looked at by itself: of its tables one has to be held to a parameter, at the top
    of its conditions and beside no OR. What is joined to that one belongs to the same tenant, by the tables' keys.
    """
    found = []
    for scope, _ in _scopes(" ".join(sql.split())):
        touched = sorted(TENANT_TABLES.intersection(_NAMES.findall(scope)))
        if touched and not _is_held(scope, touched):
            found += touched
    return found


def own_parameters(sql: str) -> set[int]:
    """Return the numbers of the parameters that a statement takes for the tenant."""
    return {int(number) for found in (_OWN, _OWN_JOB) for number in found.findall(" ".join(sql.split()))}


def _is_held(scope: str, touched: list[str]) -> bool:
    if re.search(r"\bINSERT INTO\b", scope):
        return "(tenant_id" in scope
    conditions = scope.partition(" WHERE ")[2]
    if re.search(r"\bOR\b", conditions):
        return False
    joined = scope.partition(" FROM ")[2]
    if touched == ["tenants"]:
        return bool(_OWN_TENANT.search(conditions))
    return bool(_OWN.search(conditions) or _OWN.search(joined))


def _scopes(sql: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each query of a statement without those in it, and what was taken out.

    Parentheses that are no query stay, as Piccolo puts them around conditions; those with an OR in them do not.
    """
    outside, nested, depth, start = "", list[str](), 0, 0
    for place, letter in enumerate(sql):
        if letter == "(":
            if depth == 0:
                outside += sql[start:place]
                start = place + 1
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth == 0:
                inner = sql[start:place]
                kept, taken = ("", [inner]) if _SQL.match(inner) or " OR " in inner else _first(inner)
                outside += f"({kept})"
                nested += taken
                start = place + 1
    yield outside + sql[start:], nested
    for inner in nested:
        yield from _scopes(inner)


def _first(inner: str) -> tuple[str, list[str]]:
    return next(_scopes(inner))
