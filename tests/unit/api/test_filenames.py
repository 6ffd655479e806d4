"""File names of clients, made harmless."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from docrefinery.api.filenames import harmless


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_can_be_shown_and_stored(name: str) -> None:
    result = harmless(name)
    assert 0 < len(result) <= 200
    assert "/" not in result
    assert "\\" not in result
    assert result not in (".", "..")
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in result)
    assert harmless(result) == result


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a/", "document.pdf"),
        ("  . ", "document.pdf"),
        ("line\r\nbreak.pdf", "linebreak.pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("x" * 300, "x" * 200),
        ("a." + "x" * 300, ("a." + "x" * 300)[:200]),
        ("e\u0301.pdf", "é.pdf"),
        ("\u202egnp.pdf", "gnp.pdf"),
    ],
)
def test_examples(name: str, kept: str) -> None:
    assert harmless(name) == kept
