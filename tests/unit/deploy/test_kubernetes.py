"""The manifests: what the strictest of Kubernetes's pod standards asks, and what our processes need."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docrefinery import settings
from docrefinery.settings import load

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/kubernetes"
PATHS = sorted(FOLDER.rglob("*.yaml"))
DOCUMENTS: list[Any] = [
    found for path in PATHS if path.name != "kustomization.yaml" for found in yaml.safe_load_all(path.read_text())
]
PODS = {
    found["metadata"]["name"]: found["spec"]["template"]["spec"]
    for found in DOCUMENTS
    if found.get("kind") in ("Deployment", "Job", "StatefulSet")
}
OURS = ("docrefinery-api", "docrefinery-worker", "docrefinery-migrate")


@pytest.mark.parametrize("name", PODS)
def test_every_pod_is_confined(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", OURS)
def test_our_pods_run_as_the_images_user_without_the_variables_of_services(name: str) -> None:
    pod = PODS[name]
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]) == (10001, 10001)
    # A Service named docrefinery-api would give DOCREFINERY_API_PORT, at which every start ends.
    assert pod["enableServiceLinks"] is False
    [container] = pod["containers"]
    assert container["image"] == "docrefinery"
    assert container["args"] == [name.removeprefix("docrefinery-")]


def test_a_stop_has_its_grace() -> None:
    grace = load({}).stop_grace_seconds
    for name in ("docrefinery-api", "docrefinery-worker"):
        assert PODS[name]["terminationGracePeriodSeconds"] >= grace + 15


def test_migrations_alone_have_the_owners_role() -> None:
    for name in OURS:
        sources = PODS[name]["containers"][0]["envFrom"]
        secrets = [source["secretRef"]["name"] for source in sources if "secretRef" in source]
        assert secrets == (["docrefinery-migration"] if name == "docrefinery-migrate" else ["docrefinery"])


def test_no_secret_is_written_anywhere() -> None:
    assert [found for found in DOCUMENTS if found.get("kind") == "Secret"] == []
    text = "".join(path.read_text() for path in PATHS)
    assert re.findall(r"postgres(?:ql)?://|rediss?://|SECRET_KEYS=", text) == []


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"\bDOCREFINERY_[A-Z_]*[A-Z]\b", "".join(path.read_text() for path in PATHS)))
    assert len(named) > 4
    assert named <= settings.variables().keys()


def test_probes_ask_what_there_is() -> None:
    [api] = PODS["docrefinery-api"]["containers"]
    asked = {probe: api[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_the_autoscaler_asks_for_a_metric_that_there_is() -> None:
    [scaler] = [found for found in DOCUMENTS if found.get("kind") == "HorizontalPodAutoscaler"]
    name = scaler["spec"]["metrics"][0]["external"]["metric"]["name"]
    rules = yaml.safe_load((FOLDER / "autoscaling/prometheus-adapter.yaml").read_text())["rules"]["external"]
    assert [rule["name"]["as"] for rule in rules] == [name]
    code = "".join(path.read_text() for path in (ROOT / "src/docrefinery/api").glob("metrics*.py"))
    assert name.removeprefix("docrefinery_") in code


def test_health_and_figures_are_for_inside() -> None:
    [ingress] = [found for found in DOCUMENTS if found.get("kind") == "Ingress"]
    paths = {path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    assert paths == {"/v1", "/schema", "/console"}


def test_every_file_is_rendered() -> None:
    used: set[Path] = set()
    for path in FOLDER.rglob("kustomization.yaml"):
        told = yaml.safe_load(path.read_text())
        used |= {path, *((path.parent / name).resolve() for name in told.get("resources", ()))}
        for component in told.get("components", ()):
            assert (path.parent / component / "kustomization.yaml").is_file()
    # Values of another chart.
    used.add(FOLDER / "autoscaling/prometheus-adapter.yaml")
    assert set(PATHS) <= used
