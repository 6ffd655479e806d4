"""What the shipped plugins say of themselves is true."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from docrefinery.plugin.testing import documents, exported
from docrefinery.plugin.testing.loading import loaded

ROOT = Path(__file__).parents[3]
FOLDERS = sorted((ROOT / "plugins").glob("docrefinery-*"))


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    """One of the plugins."""
    shipped: Path = request.param
    return shipped


def project(folder: Path) -> dict[str, Any]:
    described: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return described


def module(folder: Path) -> str:
    (name,) = project(folder)["entry-points"]["docrefinery"].values()
    return str(name)


def test_it_is_called_as_its_folder_and_licensed_as_the_core(folder: Path) -> None:
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    described = project(folder)
    assert described["name"] == folder.name
    assert (described["license"], described["requires-python"]) == (core["license"], core["requires-python"])
    assert "docrefinery" in described["dependencies"]
    assert (folder / "src" / module(folder) / "py.typed").exists()


def test_its_readme_names_what_it_offers_and_how_to_install_and_test_it(folder: Path) -> None:
    readme = (folder / "README.md").read_text()
    _, plugin = loaded(module(folder))
    (offered,) = (*plugin.exporters, *plugin.profiles)
    assert f"`{offered}`" in readme.partition("\n\n")[2].partition(":")[0]
    assert f"pip install ./plugins/{folder.name}\n" in readme
    assert f"`pytest plugins/{folder.name}`" in readme


def readme(name: str) -> str:
    return (ROOT / "plugins" / name / "README.md").read_text()


def test_the_line_that_is_shown_is_the_line_that_is_written() -> None:
    page = readme("docrefinery-rag-chunks")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    document = documents()["headings and lists"].model_copy(update={"name": "report"})
    registry, _ = loaded("docrefinery_rag_chunks")
    first = json.loads(exported(registry.exporters["rag_chunks"], document).splitlines()[0])
    assert json.loads(shown) == first
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(first)


def test_every_option_of_the_legal_profile_is_given_a_reason() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \| .+\. \|$", readme("docrefinery-legal"), re.MULTILINE)
    registry, _ = loaded("docrefinery_legal")
    profile = registry.profiles["legal"]
    assert {name: json.loads(value) for name, value in rows} == profile.options
    assert f"({', '.join(f'`{kind}`' for kind in profile.exports)})" in readme("docrefinery-legal")
