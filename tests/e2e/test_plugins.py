"""Plugins in a running installation: installed, taken up by a restart, used, and refused where they clash."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.support import plugins
from tests.support.pdfs import born_digital
from tests.support.processes import docrefinery, environment, working_in
from tests.support.refinery import DEFAULT_KINDS, Refinery, fresh
from tests.support.venvs import ROOT, Environment

HTML = json.dumps({"exports": ["markdown", "html"]})
PLUGINS = sorted((ROOT / "plugins").glob("docrefinery-*"))


@pytest.fixture
def installation(tmp_path: Path) -> Environment:
    """An environment in which DocumentRefinery is installed, and no plugin."""
    return Environment(tmp_path / "venv")


@pytest.fixture
def own(make: Start, installation: Environment) -> Refinery:
    """What runs in that environment."""
    refinery = make()
    refinery.python = installation.python
    return refinery


def test_an_installed_plugin_works_after_a_restart(own: Refinery, installation: Environment) -> None:
    own.start()
    files, fields = {"file": ("report.pdf", born_digital())}, {"ingest": "true", "options_json": HTML}
    refused = own.client.post("/v1/documents/", files=files, data=fields)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_OPTIONS")
    assert refused.json()["errors"][0]["pointer"] == "/options_json/exports/1"
    own.stop()

    installation.install(ROOT / "plugins" / "docrefinery-html")
    own.start()
    job_id = own.client.submit(fresh(born_digital(text="To be <or> not to be.")), options_json=HTML)["job_id"]
    own.assert_one_set(job_id, ["docling_json", "html", "markdown"])
    (artifact,) = [artifact for artifact in own.client.artifacts(job_id) if artifact["kind"] == "html"]
    assert (artifact["filename"], artifact["content_type"]) == ("report.html", "text/html; charset=utf-8")
    page = own.client.get(f"/v1/artifacts/{artifact['id']}/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "To be &lt;or&gt; not to be." in page.text
    listed = {item["kind"]: item for item in own.client.get("/v1/exporters/").json()["results"]}
    assert (listed["html"]["plugin"], listed["html"]["version"]) == ("html", "0.1.0")
    (shown,) = [row for row in json.loads(own.command("plugin", "list", "--json").stdout) if row["name"] == "html"]
    assert (shown["distribution"], shown["version"], shown["exporters"]) == ("docrefinery-html", "0.1.0", ["html"])
    own.stop()

    installation.uninstall("docrefinery-html")
    own.start()
    own.assert_one_set(own.client.submit(fresh(born_digital()))["job_id"], DEFAULT_KINDS)
    assert own.client.get(f"/v1/artifacts/{artifact['id']}/").content == page.content


OTHER = """
from docrefinery.plugin import Exporter, hookimpl

@hookimpl
def docrefinery_exporters():
    return [Exporter(kind="html", summary="Another.", content_type="text/html", suffix=".html", write=print)]
"""


def test_two_plugins_that_offer_one_export_stop_the_start_in_one_line(own: Refinery, installation: Environment) -> None:
    installation.install(ROOT / "plugins" / "docrefinery-html")
    plugins.install(installation.packages, "other_html", OTHER, "3.7")
    refused = own.command("up", "--port", "0", "--data-dir", own.data_dir)
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert "both offer the exporter 'html'" in line
    assert "docrefinery-html 0.1.0" in line
    assert "other_html 3.7" in line
    assert "DOCREFINERY_PLUGINS" in line
    assert not working_in(own.home)


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_the_command_of_a_readme_writes_what_it_says(folder: Path, installation: Environment, tmp_path: Path) -> None:
    installation.install(folder)
    (tmp_path / "report.pdf").write_bytes(born_digital())
    command, written = re.findall(
        r"```sh\ndocrefinery (convert .+)\n```\n\nwrites `(.+?)`", (folder / "README.md").read_text()
    )[0]
    ran = docrefinery(*shlex.split(command), environ=environment(), cwd=tmp_path, python=installation.python)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / written).is_file()
    assert (tmp_path / "converted/report/report.json").stat().st_size > 0
