import ast
import dataclasses
import re
from pathlib import Path

import pytest

from docrefinery.plugin import (
    Clean,
    Exporter,
    Infected,
    Profile,
    ScanEngine,
    Scanner,
    ScannerDown,
    Unscannable,
    hookspecs,
    testing,
)

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "exporter-plugin"


def test_every_hook_is_on_the_page_and_no_other() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("docrefinery_")}
    assert set(re.findall(r"docrefinery_\w+(?=\(\))", PAGE)) == hooks


@pytest.mark.parametrize("descriptor", [Exporter, Profile, Scanner])
def test_every_field_is_on_the_page_and_no_other(descriptor: type) -> None:
    section = PAGE.split(f"### `{descriptor.__name__}`")[1].split("\n#")[0]
    fields = [field.name for field in dataclasses.fields(descriptor)]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == fields


@pytest.mark.parametrize("name", [Clean, Infected, Unscannable, ScannerDown])
def test_everything_a_scanner_may_say_is_on_the_page(name: type) -> None:
    assert f"`{name.__name__}" in PAGE


def test_the_methods_of_a_scanner_are_on_the_page() -> None:
    for method in (name for name in vars(ScanEngine) if not name.startswith("_")):
        assert f"`{method}(" in PAGE


FILES = {
    "python": ("refinery_wordlist.py", "tests/test_wordlist.py"),
    "toml": ("pyproject.toml",),
}


@pytest.mark.parametrize("language", FILES)
def test_what_the_page_shows_is_the_example(language: str) -> None:
    source = [line for file in FILES[language] for line in (EXAMPLE / file).read_text("utf-8").splitlines()]
    for block in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL):
        for part in re.split(r"\n\n+", block.strip()):
            assert all(line in source for line in part.splitlines() if not line.startswith("from")), part


def test_every_function_of_the_kit_is_on_the_page_and_no_other() -> None:
    section = PAGE.split("## The kit")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)\(", section, re.MULTILINE)) == sorted(testing.__all__)


def test_every_shipped_plugin_is_on_the_page() -> None:
    shipped = [folder.name for folder in sorted((ROOT / "plugins").glob("docrefinery-*"))]
    assert re.findall(r"^\| \[([\w-]+)\]", PAGE, re.MULTILINE) == shipped


def test_the_pages_code_is_python() -> None:
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        ast.parse(block)
