"""Requests for every route that takes the id of an object, made from the OpenAPI document."""

import itertools
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

Json = dict[str, Any]
METHODS = ("get", "head", "post", "put", "patch", "delete")

PATHS = {
    ("documents", "id"): "document",
    ("jobs", "id"): "job",
    ("artifacts", "id"): "artifact",
    ("webhooks", "id"): "webhook",
    ("webhooks", "uuid"): "delivery",
}
"""What a path's parameter names, by the path's first word."""
FIELDS = {"document_id": "document", "job_id": "job"}
"""What a filter, or a field of a body, names."""
CLIENTS_OWN = {"external_uuid"}
"""Ids that clients make up: they name nothing of ours."""
BODIES: dict[tuple[str, str], Json] = {
    ("put", "/v1/webhooks/{id}/"): {"name": "taken over", "url": "https://93.184.215.14/"},
    ("patch", "/v1/webhooks/{id}/"): {"name": "taken over"},
}


class Call(Struct, frozen=True):
    """A request that names objects: in the path, in a filter, or in its body; ``mixed`` names some of each tenant."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: Json | None = None
    filters: bool = False
    mixed: bool = False

    @property
    def rank(self) -> int:
        """Readers first, then changes, then what deletes; a part before the whole."""
        if self.method != "delete":
            return int(self.method != "get")
        return 3 if "documents" in self.path else 2


def calls(document: Json, theirs: dict[str, Json], ours: dict[str, Json]) -> list[Call]:
    """Return a request for each route, place of an id, and form of an id; the last id of a path is always theirs.

    :raises KeyError: if a route has an id that no table here knows.
    """
    found: list[Call] = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                for form in ("id", "uuid"):
                    found += _in_path(method, path, parameters, [theirs, ours], form)
                    found += _in_query(method, path, parameters, theirs, form)
                    found += _in_body(document, method, path, operation, theirs, form)
    return sorted(found, key=lambda call: call.rank)


def _in_path(method: str, path: str, parameters: list[Json], whose: list[dict[str, Json]], form: str) -> Iterator[Call]:
    names = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
    kinds = {name: PATHS[path.split("/")[2], name] for name in names}
    if not names:
        return
    for owners in itertools.product(whose, repeat=len(names) - 1):
        values = {
            name: owner[kinds[name]].get(form, owner[kinds[name]]["uuid"])
            for name, owner in zip(names, (*owners, whose[0]), strict=True)
        }
        mixed = any(owner is not whose[0] for owner in owners)
        yield Call(method, path.format(**values), body=BODIES.get((method, path)), mixed=mixed)


def _in_query(method: str, path: str, parameters: list[Json], theirs: dict[str, Json], form: str) -> Iterator[Call]:
    for parameter in parameters:
        if parameter["in"] == "query" and _names_an_object(parameter["name"], parameter.get("schema", {})):
            value = str(theirs[FIELDS[parameter["name"]]][form])
            yield Call(method, path, query={parameter["name"]: value}, filters=True)


def _in_body(
    document: Json, method: str, path: str, operation: Json, theirs: dict[str, Json], form: str
) -> Iterator[Call]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for name, field in schema["properties"].items():
            if _names_an_object(name, field):
                yield Call(method, path, body={name: theirs[FIELDS[name]][form]})


def _names_an_object(name: str, schema: Json) -> bool:
    if name in CLIENTS_OWN:
        return False
    return name == "id" or name.endswith(("_id", "uuid", "_ids")) or schema.get("format") == "uuid"
