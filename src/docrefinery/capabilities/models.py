"""Docling's models: what a converter holds of them, and what keeps this machine from having them."""

from importlib.util import find_spec
from pathlib import Path

import msgspec
from msgspec import Struct

from docrefinery.capabilities.checkpoints import CHECKPOINTS, Found, examine

EXTRA = "pip install 'docrefinery[models]'"
DOWNLOAD = "docrefinery models download"
READ = "let the workers' user read it"
_PACKAGES = ("torch", "transformers", "docling_ibm_models")
NEEDED = frozenset({"layout", "tables"})
"""Parts without which the engine does not run; of the others each stage is left out by itself."""


class Models(Struct, frozen=True):
    """What a converter holds.

    :param held: model and revision of each part (:data:`~docrefinery.capabilities.checkpoints.Part`) that there is.
    :param device: what they run on: ``cpu``, ``cuda:0``, ``mps`` or ``xpu``.
    :param memory_bytes: resident memory that a converter needs for them.
    :param problem: one line that says why they cannot be used.
    :param broken: of parts that are there and could not be loaded, one line each.
    :param loading: whether they are still being loaded; ``held`` is then what is in the folder.
    """

    held: dict[str, str] = {}
    device: str = ""
    memory_bytes: int = 0
    problem: str = ""
    broken: dict[str, str] = {}
    loading: bool = False

    @property
    def usable(self) -> bool:
        """Whether layout and tables can be had of them, now or once they are loaded."""
        return self.held.keys() >= NEEDED


NONE = Models()


class Hardware(Struct, frozen=True, kw_only=True):
    """Where Docling's models are and what they run on.

    :param models_folder: Docling's ``artifacts_path``.
    :param device: ``auto``, ``cpu``, ``cuda``, ``cuda:<number>``, ``mps`` or ``xpu``.
    :param threads: threads of each model on the CPU.
    :param page_batch_size: pages that a model is given at a time.
    :param picture_batch_size: pictures that a model is given at a time.
    :param loading_seconds: how long loading may take.
    """

    models_folder: str
    device: str = "auto"
    threads: int = 1
    page_batch_size: int = 4
    picture_batch_size: int = 8
    loading_seconds: float = 300.0


def installed_models(folder: Path) -> Models:
    """Return what a converter on this machine would hold, as far as that is known without loading it."""
    if lacks := missing_packages():
        return Models(problem=lacks)
    found = [examine(folder, checkpoint) for checkpoint in CHECKPOINTS]
    if problem := _problem(folder, found):
        return Models(problem=problem)
    return Models({each.checkpoint.part: each.name for each in found if each.state == "ready"})


def being_loaded(folder: Path) -> Models:
    """Return what a converter on this machine will hold, if all goes well."""
    there = installed_models(folder)
    return msgspec.structs.replace(there, loading=there.usable)


def missing_packages() -> str:
    """Return what to install, or nothing."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        return f"{missing[0]} is not installed: {EXTRA}"
    return ""


def _problem(folder: Path, found: list[Found]) -> str:
    """Return why a folder's models cannot be used, without its path: clients read it."""
    try:
        if not folder.is_dir():
            return f"there is no models folder: {DOWNLOAD}"
    except OSError as error:
        return f"the models folder cannot be read: {error.strerror or error}: {READ}"
    worst = next((each for each in found if each.state != "ready" and each.checkpoint.part in NEEDED), None)
    if worst is None:
        return ""
    return f"{worst.problem}: {READ if 'cannot be read' in worst.problem else DOWNLOAD}"
