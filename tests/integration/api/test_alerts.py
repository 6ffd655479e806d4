"""Alert rules and the dashboard ask for what ``/metrics`` tells, and nothing else."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from docrefinery.capabilities import NONE
from docrefinery.services import metrics as service
from docrefinery.store import claims, counters, workers
from docrefinery.store.counters import Counted
from docrefinery.store.database import Database
from tests.support.calls import queued
from tests.support.packages import require_package
from tests.support.work import HandWorker

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/prometheus/alerts.yaml"
DASHBOARD = ROOT / "deploy/grafana/docrefinery.json"
ALERTS = {
    "QueueOld", "NoWorkers", "JobsFailing", "ScannerDown", "StorageErrors", "DatabaseDown", "BrokerDown",
    "WebhooksFailing", "DiskNearlyFull", "ConvertersDying", "ApiErrors", "ApiSlow", "NotReady",
}  # fmt: skip
_SELECTOR = re.compile(r"\b((?:docrefinery|process)_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_INCREASE = re.compile(r"increase\((docrefinery_\w+)(?:\{([^}]*)\})?\[")
_VALUES = re.compile(r"(\w+)=~?\"([^\"]*)\"")
_GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")
OF_PROMETHEUS = {"instance", "le"}


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


@pytest.fixture
async def told(
    client: httpx.AsyncClient, worker: HandWorker, db: Database, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, set[str]]:
    """The labels of each sample of an installation in which everything has happened once."""
    monkeypatch.setattr(service, "KEPT_SECONDS", -1.0)
    await queued(client)
    claim = await worker.claim()
    await claims.enter_stage(db, claim, "CONVERTING", scan_ms=5)
    await worker.publish(claim)
    beat = workers.Beat(
        id=uuid4(), hostname="here", pid=1, status="IDLE", queues=["convert"], current_job_id=None, jobs_done=0,
        rss_bytes=1, version="0", ocr=None, models=NONE, jail=(), profiles=[],
    )  # fmt: skip
    await workers.beat(db, beat)
    for counted in Counted:
        await counters.add(db, counted, "any")
    text = (await client.get("/metrics")).text
    families = text_string_to_metric_families(text)
    found: dict[str, set[str]] = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def test_every_metric_and_label_that_is_asked_for_is_told(told: Mapping[str, set[str]]) -> None:
    asked = list(expressions())
    assert len(asked) > 40
    for expression in asked:
        known = set(OF_PROMETHEUS)
        for name, matchers in _SELECTOR.findall(expression):
            assert name in told, expression
            assert set(_MATCHER.findall(matchers)) <= told[name], expression
            known |= told[name]
        for group in _GROUPED.findall(expression):
            assert {label.strip() for label in group.split(",")} <= known, expression


async def test_counters_whose_increase_an_alert_waits_for_are_there_from_the_start(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "KEPT_SECONDS", -1.0)
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    samples = [(sample.name, sample.labels) for family in families for sample in family.samples]
    asked = {found for rule in rules() for found in _INCREASE.findall(rule["expr"])}
    assert len(asked) > 5
    for name, matchers in asked:
        wanted = [(label, value) for label, values in _VALUES.findall(matchers) for value in values.split("|")]
        assert bool(wanted) == bool(matchers)
        for label, value in wanted:
            assert any(each == name and labels.get(label) == value for each, labels in samples), (name, label, value)
        assert any(each == name for each, _ in samples), name


def test_the_dashboard_shows_every_metric_of_ours() -> None:
    documented = set(re.findall(r"^\| `(docrefinery_\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    shown = {name for panel in panels() for target in panel["targets"] for name, _ in _SELECTOR.findall(target["expr"])}
    assert documented == {name.removesuffix("_bucket") for name in shown if name.startswith("docrefinery_")}


def test_alerts_are_those_that_the_runbook_knows_and_say_what_is_wrong() -> None:
    assert [rule["alert"] for rule in rules()] == list(dict.fromkeys(rule["alert"] for rule in rules()))
    assert {rule["alert"].removeprefix("DocRefinery") for rule in rules()} == ALERTS
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert re.fullmatch(r"\d+m", rule["for"])
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"]
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
    runbook = (ROOT / "docs/runbook.md").read_text()
    assert [rule["alert"] for rule in rules() if f"\n## {rule['alert']}\n" not in runbook] == []


def test_panels_have_places_of_their_own_and_names() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        assert panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells
        taken |= cells


def ran(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [require_package("promtool", "prometheus"), *arguments], capture_output=True, text=True, check=False
    )


def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    written = [
        {"record": f"asked_{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": written}]}))
    for path in (RULES, file):
        done = ran("check", "rules", path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_where_they_should_and_nowhere_else(tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    file.write_text((ROOT / "tests/data/alerts.test.yaml").read_text().replace("RULES", str(RULES)))
    done = ran("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr
