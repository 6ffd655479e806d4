"""A malformed descriptor says so when it is made, and what to write."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

import pytest

from docrefinery.plugin import Exporter, Profile, Scanner


def write(_document: object, _stream: BinaryIO) -> None:
    """Write nothing."""


def short(_document: object) -> None:
    """Take too little."""


def long(_document: object, _stream: BinaryIO, folder: str) -> None:
    """Take too much."""


class Writer:
    """Something else that can be called."""

    def __call__(self, document: object, stream: BinaryIO, *, separator: str = ",") -> None:
        """Write nothing."""

    def method(self, document: object, stream: BinaryIO) -> None:
        """Write nothing."""


EXPORTER = {"kind": "fine", "summary": "A test.", "content_type": "text/plain", "suffix": ".txt", "write": write}
PROFILE = {"name": "fine", "summary": "A test.", "exports": ("text",)}
SCANNER = {"name": "fine", "summary": "A test.", "create": lambda _environ: None}


def make(kind: type, fields: Mapping[str, Any], changes: Mapping[str, Any]) -> object:
    """Make a descriptor that is fine but for the changes."""
    return kind(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "Markdown"}, "exporter 'Markdown': use lower case letters"),
        ({"kind": ""}, "exporter '': use lower case letters"),
        ({"kind": 5}, "exporter 5: use lower case letters"),
        ({"summary": " "}, "exporter 'fine': the summary must be one sentence"),
        ({"summary": None}, "exporter 'fine': the summary must be one sentence"),
        ({"suffix": "md"}, "the suffix 'md' is not like '.md'"),
        ({"suffix": "./../x"}, "is not like '.md'"),
        ({"suffix": None}, "the suffix None is not like"),
        ({"content_type": "markdown"}, "'markdown' is not a media type"),
        ({"stage": "SCANNING"}, "the stage must be EXPORTING or CHUNKING"),
        ({"cost": 0}, "cost must be a number above 0, not 0"),
        ({"cost": math.nan}, "cost must be a number above 0, not nan"),
        ({"cost": "much"}, "cost must be a number above 0, not 'much'"),
        ({"write": None}, r"write must be a function that is called as write\(document, stream\), not None"),
        ({"write": short}, r"called as write\(document, stream\), .* too many positional arguments"),
        ({"write": long}, "missing a required argument: 'folder'"),
        ({"needs": ["do_ocr"]}, "options must be a mapping"),
        ({"needs": {1: True}}, "options must be a mapping"),
    ],
)
def test_a_malformed_exporter(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(Exporter, EXPORTER, changes)


@pytest.mark.parametrize("function", [write, Writer(), Writer().method, partial(Writer(), separator=";"), print])
def test_whatever_takes_a_document_and_a_stream_may_write(function: object) -> None:
    assert make(Exporter, EXPORTER, {"write": function})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "fast-text"}, "profile 'fast-text': use lower case letters"),
        ({"summary": ""}, "profile 'fine': the summary"),
        ({"exports": "text"}, r'exports must be a tuple of kinds, such as \("markdown", "text"\)'),
        ({"exports": ("text", "text")}, "profile 'fine' lists an export twice"),
        ({"exports": (["text"],)}, "exports must be a tuple of kinds"),
        ({"options": "do_ocr"}, "options must be a mapping"),
    ],
)
def test_a_malformed_profile(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(Profile, PROFILE, changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "clam av"}, "scanner 'clam av': use lower case letters"),
        ({"create": lambda: None}, r"scanner 'fine': create is called as create\(environ\)"),
        ({"runs_in": "parent"}, "runs_in must be 'worker' or 'child', not 'parent'"),
    ],
)
def test_a_malformed_scanner(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(Scanner, SCANNER, changes)
