import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from docrefinery.pipeline.converter import ChildLimits, Converter
from docrefinery.pipeline.outcomes import Converted, Task
from tests.integration.pipeline.conftest import ignore
from tests.support import pdfs, plugins

EXAMPLE = Path(__file__).parents[3] / "examples" / "exporter-plugin"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the example as an installer would, which takes no network."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    folder = tmp_path / "site"
    folder.mkdir()
    plugins.install(folder, project["name"], "", project["version"], project["entry-points"]["docrefinery"])
    shutil.copy(EXAMPLE / "refinery_wordlist.py", folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def test_the_registry_shows_it_with_its_version(installed: Path) -> None:
    code = """
from docrefinery.plugin.registry import load
registry = load()
plugin = registry.provider(registry.exporters["wordlist"])
print(plugin.name, plugin.distribution, plugin.version, registry.exporters["wordlist"].suffix)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["wordlist", "refinery-wordlist", "1.0.0", ".words.csv"]


async def test_it_exports_in_the_converter_process(installed: Path, task: Callable[..., Task]) -> None:
    converter = Converter(ChildLimits(), None)
    try:
        outcome = await converter.convert(task(pdfs.born_digital(text="To be or not to be."), "wordlist"), ignore)
    finally:
        await converter.close()
    assert isinstance(outcome, Converted)
    assert outcome.artifacts[0].path.read_text().splitlines()[:3] == ["word,count", "be,2", "to,2"]
