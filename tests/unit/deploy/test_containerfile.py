"""The image: what it is built from, and as whom it runs."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from docrefinery import __version__, settings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "Containerfile").read_text()
LINES = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
HEALTHCHECK = ROOT / "deploy/container/healthcheck"


def of(instruction: str) -> list[str]:
    """Return what follows an instruction wherever it is used."""
    return [line.partition(" ")[2] for line in LINES if line.startswith(f"{instruction} ")]


def test_both_targets_end_as_a_user_that_is_not_root() -> None:
    for target in ("slim", "models"):
        stage = TEXT.partition(f"AS {target}\n")[2].partition("\nFROM")[0]
        assert re.findall(r"^USER (.*)", stage, re.MULTILINE) == ["10001:10001"], target


def test_packages_that_are_installed_are_those_that_the_page_names() -> None:
    [installed] = [run for run in of("RUN") if "tesseract-ocr" in run]
    names = installed.partition("--no-install-recommends ")[2].partition(" $(printf")[0].split()
    page = (ROOT / "docs/containers.md").read_text()
    [row] = re.findall(r"^\| Debian's packages \| (.*) \|$", page, re.MULTILINE)
    assert set(re.findall(r"`([a-z0-9-]+)`", row)) == set(names)
    [languages] = re.findall(r'TESSERACT_LANGUAGES="(.*)"', TEXT)
    [row] = re.findall(r"^\| languages \| (.*) \|$", page, re.MULTILINE)
    assert set(re.findall(r"`([a-z]{3})`", row)) == {*languages.split(), "eng", "osd"}


def test_python_packages_come_by_their_hashes_and_compile_nothing() -> None:
    installs = [run for run in of("RUN") if "pip install" in run]
    assert len(installs) == 3
    for run in installs:
        assert "--no-index" in run or "--only-binary :all: --require-hashes" in run, run


def test_locks_that_are_installed_together_agree() -> None:
    pins = {
        name: dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE))
        for name in ("runtime", "models", "otel")
    }
    assert pins["otel"].keys() > pins["runtime"].keys()
    for name in ("runtime", "models"):
        shared = pins[name].keys() & pins["otel"].keys()
        assert {key: pins[name][key] for key in shared} == {key: pins["otel"][key] for key in shared}


def test_no_stage_takes_from_another_what_its_cache_does_not_know() -> None:
    # Buildah takes a step with a mount from its cache whatever the mount holds.
    assert [run for run in of("RUN") if "type=bind" in run] == []


def test_what_is_copied_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for copy in of("COPY") if "--from" not in copy for source in copy.split()[:-1] if source[0] != "-"}
    assert copied
    for source in copied:
        assert (ROOT / source).exists()
        assert any(Path(source).is_relative_to(part) for part in kept), source


def test_variables_of_the_image_are_settings() -> None:
    named = re.findall(r"\b(DOCREFINERY_[A-Z_]+)=", TEXT)
    assert named
    assert set(named) <= settings.variables().keys()


def test_the_version_is_the_packages() -> None:
    assert f"ARG VERSION={__version__}" in LINES


class Api(BaseHTTPRequestHandler):
    """Answers as the health endpoints do where a token is set."""

    def do_GET(self) -> None:
        """Know the token."""
        allowed = self.headers.get("X-Internal-Token") == "secret" and self.path == "/healthz"
        self.send_response(200 if allowed else 403)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where such an API listens."""
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def checked(port: int, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command of HEALTHCHECK."""
    environ = {"PATH": os.defpath, "DOCREFINERY_PORT": str(port), **variables}
    return subprocess.run(
        [sys.executable, "-ISB", HEALTHCHECK, *arguments], env=environ, capture_output=True, text=True, check=False
    )


def test_the_healthcheck_passes_where_the_api_answers(port: int) -> None:
    assert checked(port, INTERNAL_ENDPOINTS_TOKEN="secret").returncode == 0


def test_the_healthcheck_says_what_is_wrong(port: int) -> None:
    refused = checked(port)
    assert (refused.returncode, refused.stderr) == (1, "the API answers with 403\n")
    assert checked(port, "/readyz", INTERNAL_ENDPOINTS_TOKEN="secret").returncode == 1
    away = checked(1, INTERNAL_ENDPOINTS_TOKEN="secret")
    assert (away.returncode, away.stderr[:23]) == (1, "the API does not answer")
