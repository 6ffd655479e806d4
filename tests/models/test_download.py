"""``docrefinery models`` against a hub on this machine that serves what the tests made, and fails as they want."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docrefinery.capabilities.checkpoints import CHECKPOINTS, STAMP
from tests.support.hub import Hub
from tests.support.processes import DOCREFINERY, docrefinery, environment, wait_until

LAYOUT, TABLES = CHECKPOINTS[:2]
WEIGHTS = TABLES.files[1]
BREAK = 20 * 2**20


class Machine:
    """A machine with an empty models folder, whose hub is ours."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.hub = hub
        self.models = folder / "models"
        self.environ = environment(
            DOCREFINERY_DATA_DIR=str(folder / "data"),
            DOCREFINERY_MODELS_DIR=str(self.models),
            HF_ENDPOINT=hub.url,
            HF_HOME=str(folder / "cache"),
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ``docrefinery models``."""
        return docrefinery("models", *arguments, environ=self.environ, seconds=180)

    def states(self, *arguments: str) -> dict[str, str]:
        """Return the state of each model."""
        done = self.run("status", "--json", *arguments)
        rows = json.loads(done.stdout)
        assert done.returncode == any(row["state"] != "ready" for row in rows)
        return {row["for"]: row["state"] for row in rows}

    def fetched(self) -> list[str]:
        """Return the files that have been sent since the last call."""
        paths = [each.path for each in self.hub.requests if each.method == "GET" and "/resolve/" in each.path]
        self.hub.requests.clear()
        return paths


@pytest.fixture
def machine(models_dir: Path, tmp_path: Path) -> Iterator[Machine]:
    """Return one whose hub has every model."""
    with Hub({each.repo: models_dir / each.folder for each in CHECKPOINTS}) as hub:
        yield Machine(tmp_path, hub)


def test_a_download_fetches_all_once_and_is_what_loading_takes(machine: Machine) -> None:
    assert set(machine.states().values()) == {"missing"}
    done = machine.run("download")
    assert done.returncode == 0, done.stderr
    assert f"{len(CHECKPOINTS)} models are in {machine.models}" in done.stderr
    assert machine.fetched()
    again = machine.run("download")
    assert again.returncode == 0, again.stderr
    assert machine.fetched() == []
    assert json.loads((machine.models / STAMP).read_bytes())["revisions"][TABLES.repo] == TABLES.revision

    machine.hub.down = True
    assert set(machine.states("--verify").values()) == {"ready"}
    script = (
        "import sys\n"
        "from docrefinery.capabilities import Hardware\n"
        "from docrefinery.engine.models.loading import load\n"
        f"pipeline, models = load(Hardware(models_folder={str(machine.models)!r}, device='cpu'))\n"
        "print(models.held['layout'])\n"
        "sys.exit(models.problem or 0)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], env=machine.environ, capture_output=True, text=True, timeout=180, check=False
    )
    assert loaded.returncode == 0, loaded.stderr[-2000:]
    # A branch moves: what is shown is the commit that it was.
    assert machine.hub.commit(LAYOUT.repo).startswith(loaded.stdout.strip().removeprefix("docling-layout-heron@"))


def test_one_part_may_be_downloaded_and_a_typo_is_told(machine: Machine) -> None:
    done = machine.run("download", "--only", "layout")
    assert done.returncode == 0, done.stderr
    assert machine.states() == {
        "layout": "ready",
        "table structure": "missing",
        "picture classification": "missing",
        "picture description": "missing",
    }
    typo = machine.run("download", "--only", "layuot")
    assert typo.returncode != 0
    assert "There is no model for `layuot`; there are layout, tables" in typo.stderr
    assert "Traceback" not in typo.stderr


def test_a_broken_connection_is_continued_where_it_broke(machine: Machine) -> None:
    machine.hub.cut_after, machine.hub.cuts, machine.hub.reset = BREAK, 1, True
    done = machine.run("download", "--only", "tables")
    assert done.returncode == 0, done.stderr
    ranges = [each.range for each in machine.hub.requests if each.method == "GET" and each.path.endswith(WEIGHTS)]
    # The client keeps what came in steps of 10 MiB.
    assert "bytes=10485760-" in ranges
    assert machine.states("--verify")["table structure"] == "ready"


def test_what_is_complete_is_not_fetched_again_after_a_download_was_killed(machine: Machine) -> None:
    machine.hub.delay = 0.01
    command = [*DOCREFINERY, "models", "download", "--only", "layout", "--only", "tables"]
    with subprocess.Popen(command, env=machine.environ, stderr=subprocess.DEVNULL) as process:
        place = machine.models / TABLES.folder
        wait_until(lambda: [each for each in place.rglob("*.incomplete") if each.stat().st_size], 120, "tables come")
        process.kill()
    machine.hub.delay = 0
    assert machine.states()["table structure"] == "broken"
    machine.fetched()
    done = machine.run("download", "--only", "layout", "--only", "tables")
    assert done.returncode == 0, done.stderr
    fetched = machine.fetched()
    assert not [path for path in fetched if LAYOUT.repo in path]
    assert [path for path in fetched if path.endswith(WEIGHTS)]
    assert not list(machine.models.rglob("*.incomplete"))


def test_a_file_that_was_damaged_is_found_and_fetched_again(machine: Machine) -> None:
    assert machine.run("download", "--only", "tables").returncode == 0
    file = machine.models / TABLES.folder / WEIGHTS
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    at = file.stat().st_mtime_ns
    file.write_bytes(content)
    # By a later time the client itself would see that it was changed.
    os.utime(file, ns=(at, at))
    assert machine.states()["table structure"] == "ready"
    assert machine.states("--verify")["table structure"] == "wrong"
    machine.fetched()
    done = machine.run("download", "--only", "tables")
    assert done.returncode == 0, done.stderr
    assert f"not what the hub has, fetched again: {WEIGHTS}" in done.stderr
    assert len(machine.fetched()) == 1
    assert machine.states("--verify")["table structure"] == "ready"


@pytest.mark.parametrize("there", [True, False])
def test_a_hub_that_is_down_gives_one_line(machine: Machine, there: bool) -> None:
    if there:
        (machine.models / LAYOUT.folder).mkdir(parents=True)
        (machine.models / LAYOUT.folder / "config.json").write_text("{}")
    machine.hub.down = True
    done = machine.run("download")
    assert done.returncode == 1
    [*_, line] = done.stderr.splitlines()
    assert line.startswith(f"docrefinery: {LAYOUT.repo} ")
    assert "Traceback" not in done.stderr


def test_a_hub_that_sends_something_else_gives_one_line(machine: Machine) -> None:
    machine.hub.corrupt = {WEIGHTS}
    done = machine.run("download", "--only", "tables")
    assert done.returncode == 1
    assert f"docrefinery: {TABLES.repo} is not complete: " in done.stderr
    assert machine.states()["table structure"] == "broken"


def test_files_without_a_list_to_compare_with_are_unverified(machine: Machine, models_dir: Path) -> None:
    shutil.copytree(models_dir / LAYOUT.folder, machine.models / LAYOUT.folder, ignore=shutil.ignore_patterns(".cache"))
    done = machine.run("status", "--json", "--verify")
    assert {row["for"]: row["state"] for row in json.loads(done.stdout)}["layout"] == "unverified"


def test_a_folder_that_cannot_be_used_gives_one_line(machine: Machine) -> None:
    machine.models.write_text("not a folder")
    done = machine.run("download")
    assert done.returncode == 1
    assert "cannot be used: " in done.stderr
    assert "Traceback" not in done.stderr
