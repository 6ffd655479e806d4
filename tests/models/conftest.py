"""Docling's models: tiny ones that are made here, or real ones where DOCREFINERY_MODELS_DIR names a folder of them."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from docrefinery.capabilities import Hardware
from tests.e2e.conftest import Start, make, make_shared, pytest_runtest_makereport
from tests.support.refinery import Client, Refinery

__all__ = ["make", "make_shared", "pytest_runtest_makereport"]

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
REAL = os.environ.get("DOCREFINERY_MODELS_DIR", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let torch, transformers and Docling warn of each other, and have their time."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore"))
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of models; only read."""
    if REAL:
        return Path(REAL)
    from tests.models.checkpoints import build  # noqa: PLC0415 - it imports torch

    folder = tmp_path_factory.mktemp("models")
    build(folder)
    return folder


@pytest.fixture
def copied(models_dir: Path, tmp_path: Path) -> Path:
    """Return a folder of models that a test may break."""
    folder = tmp_path / "models"
    shutil.copytree(models_dir, folder)
    return folder


@pytest.fixture
def hardware(models_dir: Path) -> Hardware:
    """Return what to load them with."""
    return Hardware(models_folder=str(models_dir), device="cpu", threads=2)


@pytest.fixture(scope="module")
def refinery(make_shared: Start, models_dir: Path) -> Refinery:
    """Run one with models, that nobody breaks."""
    return make_shared("models", DOCREFINERY_MODELS_DIR=str(models_dir), DOCREFINERY_DEVICE="cpu").start()


@pytest.fixture
def client(refinery: Refinery) -> Client:
    """Return a client of it."""
    return refinery.client
