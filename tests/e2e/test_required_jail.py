"""``DOCREFINERY_JAIL=require``: what cannot be kept apart is not started, and one line says why."""

from pathlib import Path

import pytest

from tests.support.pdfs import born_digital
from tests.support.processes import docrefinery, environment


@pytest.fixture
def environ() -> dict[str, str]:
    # A data dir that a converter must be able to read, for all that it knows: so there is something on every machine.
    return environment(DOCREFINERY_JAIL="require", DOCREFINERY_DATA_DIR="/usr/lib", DOCREFINERY_LOG_FORMAT="json")


@pytest.mark.parametrize("command", ["convert", "worker", "up"])
def test_a_jail_that_is_required_and_not_whole_stops_the_start(
    tmp_path: Path, environ: dict[str, str], command: str
) -> None:
    tmp_path.joinpath("a.pdf").write_bytes(born_digital())
    arguments = {"convert": ["a.pdf", "--out", "out"], "worker": [], "up": ["--port", "0"]}[command]
    if command == "worker":
        # Named, and never asked: the jail comes first.
        environ |= {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0"}
    if command != "convert":
        environ["DOCREFINERY_DATA_DIR"] = str(tmp_path / "data")
        environ["PYTHONPATH"] = str(tmp_path)
    done = docrefinery(command, *arguments, environ=environ, cwd=tmp_path)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if "DOCREFINERY_JAIL" in line]
    assert "cannot keep converters apart" in line
    assert "files: " in line
    assert "Traceback" not in done.stderr
    assert not tmp_path.joinpath("out").exists()


def test_a_misspelt_value_is_refused(environ: dict[str, str]) -> None:
    done = docrefinery("convert", "a.pdf", environ=environ | {"DOCREFINERY_JAIL": "always"})
    assert done.returncode != 0
    assert "DOCREFINERY_JAIL" in done.stderr
