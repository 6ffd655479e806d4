"""Real servers, each on a directory of its own."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from docrefinery.embedded import EmbeddedServices, assembly
from tests.integration.embedded.support import AS_NOBODY, HOLDER, PYTHONPATH, Ask, Hold, Holder, Run


@pytest.fixture
def ask() -> Ask:
    """Questions to the servers."""
    return Ask()


@pytest.fixture
def run() -> Iterator[Run]:
    """Start services on a directory; they are stopped after the test."""
    with ExitStack() as stack:

        def start(data_dir: Path) -> EmbeddedServices:
            return stack.enter_context(EmbeddedServices(data_dir, durable=False))

        yield start


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServices]:
    """Services that the tests of a module share."""
    with EmbeddedServices(tmp_path_factory.mktemp("shared") / "data", durable=False) as running:
        yield running


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start a second process that runs the services; it is killed after the test, and swept after."""
    with ExitStack() as stack:

        def start(data_dir: Path, python: str = sys.executable, **options: Any) -> Holder:
            process = subprocess.Popen(
                [python, str(HOLDER), str(data_dir)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": PYTHONPATH},
                **options,
            )
            stack.callback(assembly.sweep, data_dir)
            stack.enter_context(process)
            stack.callback(process.kill)
            return Holder(process)

        yield start


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can pass through: pytest's own ones are closed."""
    folder = Path(tempfile.mkdtemp(prefix="docrefinery-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def open_python() -> str:
    """A Python that an ordinary user can run here, together with this source tree."""
    words = ["-c", f"import sys, docrefinery.embedded; open({str(HOLDER)!r}); assert sys.version_info >= (3, 11)"]
    for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        with suppress(OSError):
            env = {"PYTHONPATH": PYTHONPATH}
            if subprocess.run([python, *words], env=env, check=False, **AS_NOBODY).returncode == 0:
                return python
    pytest.skip("Python or the source tree is where only root can read it")
