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
    "expired_documents",
    "expired_jobs",
    "slices",
}
_SQL = re.compile(r"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s")
_CLAUSES = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE|USING)\s+(.*?)(?=\b(?:WHERE|SET|ON|SELECT|VALUES|FROM|USING|LEFT|RIGHT|INNER|CROSS|JOIN|"
    r"GROUP|ORDER|LIMIT|RETURNING|HAVING|FOR|WITH|DO|DEFAULT)\b|$)"
)
_TABLE = re.compile(r"(?:(?:ONLY|LATERAL) )?\"?(\w+)\"?(?: (?:AS )?\"?(\w+)\"?)?")
_JOINED = re.compile(
    r"\bJOIN (?:ONLY )?\"?(\w+)\"?(?: (?:AS )?\"?(?!ON\b)(\w+)\"?)? ON (.*?)"
    r"(?=\b(?:LEFT|RIGHT|INNER|CROSS|JOIN|WHERE)\b|$)"
)
_EQUAL = re.compile(r"\"?(\w+)\"?\.\"?(\w+)\"? = \"?(\w+)\"?\.\"?(\w+)\"?")
_CALL = re.compile(r"\b\w+\([^()]*\)")
_INTO = re.compile(r"\bINSERT INTO \"?(\w+)\"?(?: AS (\w+))? \(([^)]*)\)")
_SET_OPERATION = re.compile(r"\b(?:UNION|INTERSECT|EXCEPT)\b")
_OF_A_JOB = {"job_events", "leases"}  # tables without a tenant of their own: their rows are of their job's
PLACEHOLDER = "interpolated"
_OWN = re.compile(r"(?:\"?\w+\"?\.)?\"?tenant_id\"? = \$(\d+)")
_OWN_JOB = re.compile(r"job_of_tenant\(\$1, \$(\d+)")


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
            return _text(value, module) or PLACEHOLDER
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

    Each query within the statement is looked at by itself. Each of its tables has to be held to a parameter, at the top
    of its conditions and beside no OR, or be joined by the tenant to one that is, there or in a query around it.
    A table whose name is put in later may be any.
    """
    return sorted(_unheld(" ".join(sql.split()), {}))


def own_parameters(sql: str) -> set[int]:
    """Return the numbers of the parameters that a statement takes for the tenant."""
    return {int(number) for found in (_OWN, _OWN_JOB) for number in found.findall(" ".join(sql.split()))}


def _unheld(sql: str, around: dict[str, str]) -> Iterator[str]:
    outside, nested = _first(sql)
    held = dict(around)
    for query in _SET_OPERATION.split(_plain(outside)):
        tables = _tables(query)
        own = _held(query, tables, around)
        for name, table in tables.items():
            if table in {*TENANT_TABLES, PLACEHOLDER} and name not in own:
                yield table
        held |= {name: table for name, table in tables.items() if name in own}
    for inner in nested:
        yield from _unheld(inner, held)


def _plain(query: str) -> str:
    """Return a query without calls, and without parentheses around what it reads from."""
    query = query.replace(" ()", "").replace("EXISTS()", "f")
    while (shorter := _CALL.sub("f", query)) != query:
        query = shorter
    return re.sub(r"\b(FROM|JOIN) (?:LATERAL )?\(", r"\1 ", query)


def _tables(query: str) -> dict[str, str]:
    """Return the tables of a query by the names that they have in it."""
    found = {}
    for word, clause in _CLAUSES.findall(query):
        parts = clause.split(",")
        for part in parts[:1] if word == "INTO" else parts:
            if named := _TABLE.match(part.strip()):
                found[named[2] or named[1]] = named[1]
    return found


def _held(query: str, tables: dict[str, str], around: dict[str, str]) -> set[str]:
    """Return the names of what is held to a tenant in a query: itself, or by what it is joined to."""
    held, known = around.keys() - tables.keys(), around | tables
    where = _conjunction(query.partition(" WHERE ")[2])
    joins = [(alias or table, _conjunction(on)) for table, alias, on in _JOINED.findall(query)]
    into = _INTO.search(query)
    read = {name: table for name, table in tables.items() if into is None or name != (into[2] or into[1])}
    held |= {name for name in read if _names_tenant(where, name, read)}
    held |= {name for name, on in joins if name in read and _names_tenant(on, name, read)}
    if into and re.search(r"\btenant_id\b", into[3]):
        held.add(into[2] or into[1])
    links = [link for condition in (where, *(on for _, on in joins)) for link in _EQUAL.findall(condition)]
    for _ in tables:
        for one, column, other, others in links:
            if _tied(one, column, other, others, known) and other in held:
                held.add(one)
            if _tied(other, others, one, column, known) and one in held:
                held.add(other)
    return held


def _conjunction(conditions: str) -> str:
    return "" if re.search(r"\bOR\b", conditions) else conditions


def _tenant_column(table: str | None) -> str:
    return "id" if table == "tenants" else "tenant_id"


def _names_tenant(conditions: str, name: str, tables: dict[str, str]) -> bool:
    column = _tenant_column(tables[name])
    alone = [other for other, table in tables.items() if table in {*TENANT_TABLES, PLACEHOLDER} - _OF_A_JOB] == [name]
    prefix = rf"(?:\"?\b{name}\"?\.)" + ("?" if alone else "")
    return bool(re.search(rf"(?<![\w.\"]){prefix}\"?{column}\"? = \$\d", conditions))


def _tied(one: str, column: str, other: str, others: str, tables: dict[str, str]) -> bool:
    """Whether rows of one are of the same tenant as those of the other that they are joined to."""
    if tables.get(one) in _OF_A_JOB:
        return column == "job_id" and others == "id" and tables.get(other) in ("jobs", "job_views")
    return column == _tenant_column(tables.get(one)) and others == _tenant_column(tables.get(other))


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
