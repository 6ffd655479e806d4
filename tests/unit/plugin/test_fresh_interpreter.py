import subprocess
import sys


def test_registry_and_built_ins_are_loaded_without_docling() -> None:
    """The API process loads the registry too, and must neither wait for Docling nor carry it."""
    code = """
import sys
from docrefinery.plugin.registry import load
from docrefinery.pipeline import converter
assert load(()).exporters
heavy = {"docling", "docling_core", "pypdfium2", "yara_x", "pandas", "docrefinery.engine"}
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
