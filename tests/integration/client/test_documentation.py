"""Every example of ``docs/client.md`` runs."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from docrefinery.services.webhooks import signing
from tests.integration.client.test_push import working
from tests.support.calls import a_pdf
from tests.support.server import Serving
from tests.support.work import HandWorker

PAGE = Path(__file__).parents[3] / "docs/client.md"
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
