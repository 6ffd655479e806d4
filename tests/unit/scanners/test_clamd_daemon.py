"""The client against a real daemon, configured as it is deployed, with one signature of our own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from docrefinery.plugin import Clean, Infected, ScanEngine, ScannerDown, Unscannable
from docrefinery.scanners.clamd import CLAMD
from tests.support import pdfs
from tests.support.packages import require_package

DEPLOYED = Path(__file__).parents[3] / "deploy/kubernetes/clamd/clamd.conf"
STREAM_LIMIT = 1024 * 1024


@pytest.fixture(scope="module")
def clamd() -> Iterator[ScanEngine]:
    program = require_package("clamd", "clamav-daemon")
    # A socket's path must be short, which pytest's folders are not.
    with tempfile.TemporaryDirectory(prefix="clamd-") as name:
        folder = Path(name)
        database = folder / "database"
        database.mkdir()
        database.joinpath("test.ndb").write_text(f"Test.Eicar:0:*:{pdfs.eicar().hex()}\n")
        config = folder / "clamd.conf"
        text = DEPLOYED.read_text()
        for deployed, here in {
            "DatabaseDirectory /var/lib/clamav": f"DatabaseDirectory {database}\nTemporaryDirectory {folder}",
            "LocalSocket /tmp/clamd.sock": f"LocalSocket {folder}/clamd.sock",
            "TCPSocket 3310\nTCPAddr 0.0.0.0\n": "",
            "StreamMaxLength 512M": f"StreamMaxLength {STREAM_LIMIT}",
        }.items():
            assert text.count(deployed) == 1, deployed
            text = text.replace(deployed, here)
        config.write_text(text)
        process = subprocess.Popen(
            [program, "--config-file", str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            engine = CLAMD.create({"DOCREFINERY_CLAMD_ADDRESS": f"unix:{folder}/clamd.sock"})
            _wait(engine, process)
            yield engine
        finally:
            process.kill()
            process.communicate()


def _wait(engine: ScanEngine, process: subprocess.Popen[bytes], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return engine.check()
        except ScannerDown as error:
            if process.poll() is not None:
                pytest.fail(f"clamd ended: {process.communicate()[0].decode()}")
            if time.monotonic() > deadline:
                pytest.fail(f"clamd does not answer: {error}")
            time.sleep(0.05)


def test_clean_and_infected(clamd: ScanEngine, tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(pdfs.born_digital())
    assert clamd.scan(path) == Clean()
    path.write_bytes(pdfs.eicar_pdf())
    assert clamd.scan(path) == Infected(signature="Test.Eicar.UNOFFICIAL")


def test_a_file_over_the_stream_limit_is_unscannable(clamd: ScanEngine, tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    path.write_bytes(pdfs.born_digital() + bytes(30 * STREAM_LIMIT))
    assert isinstance(clamd.scan(path), Unscannable)


def test_one_client_scans_many_files(clamd: ScanEngine, tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    for number in range(20):
        path.write_bytes(pdfs.born_digital(text=str(number)))
        assert clamd.scan(path) == Clean()
