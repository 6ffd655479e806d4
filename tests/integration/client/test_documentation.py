"""Every example of ``docs/client.md`` runs, and so does the integration into Django."""

import asyncio
import json
import re
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from docrefinery.services.webhooks import signing
from tests.integration.client.test_push import working
from tests.support.calls import a_pdf
from tests.support.processes import environment
from tests.support.server import Serving
from tests.support.work import HandWorker

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/client.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
BODY = b'{"event":"ping","webhook_id":1,"webhook_uuid":"00000000-0000-0000-0000-000000000001"}'


async def test_examples_of_the_page_run(
    served: Serving, key: str, worker: HandWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCREFINERY_API_KEY", key)
    monkeypatch.setenv("DOCREFINERY_SERVER", served.url)
    (tmp_path / "report.pdf").write_bytes(a_pdf())
    assert len(EXAMPLES) == 5
    names: dict[str, Any] = {}
    async with working(worker):
        for example in EXAMPLES:
            await asyncio.to_thread(exec, compile(example, str(PAGE), "exec"), names)
    assert names["artifacts"]["markdown"].startswith(b"# Made")
    assert names["ready"] == ["report.pdf"]
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["report.docling_json", "report.markdown"]
    headers = signing.headers(BODY, event="ping", delivery=uuid4(), timestamp=int(time.time()), secret="s")
    assert [names["receive"](BODY, headers, secret) for secret in ("s", "other")] == [204, 401]


async def test_the_django_integration_takes_a_pdf_and_keeps_its_markdown(
    served: Serving, key: str, worker: HandWorker, tmp_path: Path
) -> None:
    (tmp_path / "paper.pdf").write_bytes(a_pdf())
    environ = environment(
        DOCREFINERY_API_KEY=key,
        DOCREFINERY_SERVER=served.url,
        WEBHOOK_SECRET="supersecret",
        PYTHONPATH=str(ROOT / "examples/django-integration"),
    )

    async def django(*arguments: str) -> str:
        script = str(ROOT / "tests/support/django_project.py")
        process = await asyncio.create_subprocess_exec(
            sys.executable, script, *arguments, env=environ, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert process.returncode == 0
        return said.decode()

    job_id = int(await django("upload", "paper.pdf"))
    claim = await worker.claim()
    assert (claim.job_id, claim.original_filename) == (job_id, "paper.pdf")
    await worker.publish(claim)
    told = {"event": "job.updated", "job_id": job_id, "job_uuid": str(claim.job_uuid), "document_id": 1}
    told |= {"status": "SUCCEEDED", "stage": "FINALIZING", "previous_status": "RUNNING", "previous_stage": "EXPORTING"}
    assert await django("tell", json.dumps(told)) == "SUCCEEDED # Made by hand\n"
