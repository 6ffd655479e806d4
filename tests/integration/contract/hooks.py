"""What Schemathesis cannot make up: ids of what is there. Loaded into its process by ``SCHEMATHESIS_HOOKS``."""

import os
import random
import re
from typing import Any

import schemathesis

IDS = os.environ["CONTRACT_IDS"].split(",")
"""Ids of two tenants, one of which asks."""


def is_id(text: str) -> bool:
    """Whether a row may have this number or uuid."""
    return re.fullmatch(r"[1-9]\d{0,9}|[0-9a-f-]{36}", text) is not None


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Have valid requests lead to something that is there; invalid ones stay as they are."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    choose = random.Random(case.id)
    for name, value in (case.path_parameters or {}).items():
        # What a link led to is there already.
        if not is_id(str(value)):
            case.path_parameters[name] = choose.choice(IDS)
    # A cursor comes from a link and belongs to one list; a held answer takes its time.
    case.query.pop("cursor", None)
    case.query.pop("wait", None)
    if isinstance(case.body, dict) and "document_id" in case.body:
        case.body["document_id"] = int(choose.choice([given for given in IDS if given.isdigit()]))
