"""What a plugin does in a process of its own, in which nothing but itself was imported before."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from docrefinery.plugin.registry import Registry
from docrefinery.plugin.testing.documents import documents
from docrefinery.plugin.testing.exporters import exported
from docrefinery.plugin.testing.loading import loaded

HEAVY = {"docling", "docling_core", "docling_parse", "numpy", "pandas", "pypdfium2", "torch", "transformers"}
_CODE = """
import importlib, sys
importlib.import_module(sys.argv[1])
imported = set(sys.modules)
from docrefinery.plugin.testing import fresh
fresh.main(imported, *sys.argv[1:])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a plugin there: heavy packages that it imports, and hashes by kind of export and document."""

    heavy: list[str]
    digests: dict[str, dict[str, str]]


def look(module: str, kinds: Sequence[str]) -> Seen:
    """Import a plugin in a process of its own and run its exporters there.

    :raises AssertionError: if that fails.
    """
    # Hashes of strings, and with them the order of sets, differ from one process to the next.
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "random"}
    command = [sys.executable, "-c", _CODE, module, *kinds]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{module} works in this process, but not in one of its own: {done.stderr.strip()}")
    return Seen(**json.loads(done.stdout.splitlines()[-1]))


def digests(registry: Registry, kinds: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the hashes of what exporters make of the made documents."""
    made = documents().items()
    return {
        kind: {name: sha256(exported(registry.exporters[kind], document)).hexdigest() for name, document in made}
        for kind in kinds
    }


def main(imported: set[str], module: str, *kinds: str) -> None:
    """Print what :func:`look` wants to know."""
    registry, _ = loaded(module)
    seen = {"heavy": sorted(HEAVY & imported), "digests": digests(registry, kinds)}
    sys.stdout.write(f"{json.dumps(seen)}\n")
