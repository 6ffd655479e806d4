"""What descriptors check about their fields; a mistake is a :class:`ValueError` that says what to write."""

import inspect
import math
import re
from collections.abc import Mapping

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def check_name(what: str, name: object) -> None:
    """Check what requests will spell."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"{what} {name!r}: use lower case letters, digits and '_', starting with a letter (63 at most)"
        )


def check_summary(what: str, summary: object) -> None:
    """Check that there is something to read."""
    if not isinstance(summary, str) or not summary.strip():
        raise ValueError(f"{what}: the summary must be one sentence for people who choose")


def check_options(what: str, options: object) -> None:
    """Check that options are names and values."""
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise ValueError(f'{what}: options must be a mapping of names to values, such as {{"do_ocr": True}}')


def check_exports(what: str, exports: object) -> None:
    """Check a list of kinds."""
    if not isinstance(exports, (tuple, list)) or not all(isinstance(kind, str) for kind in exports):
        raise ValueError(f'{what}: exports must be a tuple of kinds, such as ("markdown", "text")')
    if len(set(exports)) != len(exports):
        raise ValueError(f"{what} lists an export twice")


def check_callable(what: str, field: str, function: object, *arguments: str) -> None:
    """Check that a function can be called with so many arguments by position."""
    call = f"{field}({', '.join(arguments)})"
    if not callable(function):
        raise ValueError(  # noqa: TRY004 - descriptors raise one kind of error
            f"{what}: {field} must be a function that is called as {call}, not {function!r:.60}"
        )
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # some functions written in C do not say what they take
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise ValueError(f"{what}: {field} is called as {call}, and {field}{signature} has {error}") from error


def check_positive(what: str, field: str, number: object) -> None:
    """Raise unless a field is a number above 0."""
    if not isinstance(number, int | float) or not 0 < number < math.inf:
        raise ValueError(f"{what}: {field} must be a number above 0, not {number!r}")
