"""The manifests: what the strictest of Kubernetes's pod standards asks, and what our processes need."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from docrefinery import settings
from docrefinery.model import JOB_QUEUES, takes
from docrefinery.settings import load
from docrefinery.settings.struct import QueueClass
from tools import deployment

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
SCALERS = [found["spec"] for found in DOCUMENTS if found.get("kind") == "HorizontalPodAutoscaler"]
METRICS: dict[str, Any] = {
    scaler["scaleTargetRef"]["name"]: scaler["metrics"][0]["external"]["metric"] for scaler in SCALERS
}
OURS = ("docrefinery-api", "docrefinery-worker", "docrefinery-migrate")


def patches(folder: str) -> list[dict[str, Any]]:
    """Return the operations by which a folder changes what others have."""
    told = yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text())
    return [operation for patch in told["patches"] for operation in yaml.safe_load(patch["patch"])]


def classes_of(folder: str) -> list[str]:
    """Return what the workers of a folder are told to take."""
    [arguments] = [operation["value"] for operation in patches(folder) if operation["path"].endswith("/args")]
    assert arguments[:2] == ["worker", "--queues"]
    return str(arguments[2]).split(",")


def asked(metric: dict[str, Any]) -> set[str]:
    """Return the queues whose age an autoscaler asks for."""
    if "selector" not in metric:
        return {*JOB_QUEUES}
    [expression] = metric["selector"]["matchExpressions"]
    assert expression["key"] == "queue"
    named = set(expression["values"])
    assert named <= {*JOB_QUEUES}
    return {"In": named, "NotIn": {*JOB_QUEUES} - named}[expression["operator"]]


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


def test_a_job_that_fills_its_scratch_fails_before_its_pod_is_evicted() -> None:
    [data] = [volume for volume in PODS["docrefinery-worker"]["volumes"] if volume["name"] == "data"]
    mebibytes = int(data["emptyDir"]["sizeLimit"].removesuffix("Gi")) * 1024
    assert mebibytes >= load({}).child_scratch_mb + 2 * load({}).upload_max_size_mb


def test_workers_have_as_many_threads_as_cores_of_their_own() -> None:
    [worker] = PODS["docrefinery-worker"]["containers"]
    sources = {variable["name"]: variable["valueFrom"] for variable in worker["env"]}
    assert sources.keys() == {"DOCREFINERY_OCR_THREADS", "DOCREFINERY_MODEL_THREADS"}
    for source in sources.values():
        assert source == {"resourceFieldRef": {"resource": "requests.cpu"}}


def test_names_are_asked_for_anywhere_and_the_clouds_metadata_by_nobody() -> None:
    policies = [found["spec"] for found in DOCUMENTS if found.get("kind") == "NetworkPolicy"]
    [rules] = [policy["egress"] for policy in policies if "Egress" in policy["policyTypes"]]
    [anywhere] = [rule["ports"] for rule in rules if "to" not in rule]
    assert anywhere == [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    [block] = [peer["ipBlock"] for rule in rules for peer in rule.get("to", ()) if "0.0.0.0/0" in str(peer)]
    assert block["except"] == ["169.254.0.0/16"]


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


def test_autoscalers_ask_for_a_metric_that_there_is() -> None:
    [name] = {metric["name"] for metric in METRICS.values()}
    rules = yaml.safe_load((FOLDER / "autoscaling/prometheus-adapter.yaml").read_text())["rules"]["external"]
    assert [rule["name"]["as"] for rule in rules] == [name]
    code = "".join(path.read_text() for path in (ROOT / "src/docrefinery/api").glob("metrics*.py"))
    assert name.removeprefix("docrefinery_") in code


def test_autoscalers_ask_for_queues_that_their_workers_take_and_for_all_of_them_together() -> None:
    assert asked(METRICS["docrefinery-worker"]) == {*JOB_QUEUES}
    [value] = [found["value"] for found in patches("autoscaling/ocr") if found["path"].endswith("/metric/selector")]
    with_queues = METRICS | {"docrefinery-worker": METRICS["docrefinery-worker"] | {"selector": value}}
    classes = {"docrefinery-worker": classes_of("queues"), "docrefinery-worker-ocr": classes_of("queues/ocr")}
    assert with_queues.keys() == classes.keys()
    for name, metric in with_queues.items():
        assert [queue for queue in asked(metric) if not takes(classes[name], queue)] == [], name
    assert set().union(*map(asked, with_queues.values())) == {*JOB_QUEUES}


def test_components_choose_a_deployment_by_its_label() -> None:
    """A name would choose those too that had it before they got a suffix."""
    told = [yaml.safe_load(path.read_text()) for path in FOLDER.rglob("kustomization.yaml")]
    targets = [patch["target"] for each in told if each["kind"] == "Component" for patch in each.get("patches", ())]
    chosen = [target for target in targets if target["kind"] == "Deployment"]
    assert len(chosen) == 3
    assert [target for target in chosen if "labelSelector" not in target] == []


def test_rendered_manifests_are_held_to_the_queues_that_there_are() -> None:
    assert set(deployment.CLASSES) == {*get_args(QueueClass)}


@pytest.mark.parametrize("folder", ["autoscaling", "autoscaling/ocr"])
def test_how_many_there_are_is_said_by_the_autoscaler_alone(folder: str) -> None:
    assert {"op": "remove", "path": "/spec/replicas"} in patches(folder)


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
