"""The composition: nothing of it is root, writes where it should not, is reached from outside, or holds a secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docrefinery import settings
from docrefinery.settings import load

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSITION: Any = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSITION["services"]
EXAMPLE = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
OURS = ("api", "worker", "migrate")


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "mem_limit", "pids_limit"} <= service.keys()
    assert service.get("cap_add", []) == (["DAC_OVERRIDE"] if name == "s3" else [])
    # The image of nginx has a user of its own; whose the folder of the object storage is, is not known.
    assert name in ("nginx", "s3") or service["user"] not in ("0", "root", "")
    assert not service.get("privileged")


def test_nothing_but_nginx_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert COMPOSITION["networks"]["data"] == {"internal": True}
    for name in ("postgres", "valkey", "s3"):
        assert SERVICES[name]["networks"] == ["data"], name


def test_the_database_has_an_owner_and_an_application() -> None:
    for name in ("api", "worker"):
        environment = SERVICES[name]["environment"]
        assert environment["DATABASE_URL"].startswith("postgresql://docrefinery:${APP_DATABASE_PASSWORD")
        assert "DOCREFINERY_MIGRATION_DATABASE_URL" not in environment
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert "docrefinery_owner:" in SERVICES["migrate"]["environment"]["DOCREFINERY_MIGRATION_DATABASE_URL"]


def test_a_stop_has_its_grace() -> None:
    grace = load({}).stop_grace_seconds
    for name in OURS:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= grace + 10


def test_workers_have_as_many_threads_as_cores_of_their_own() -> None:
    worker = SERVICES["worker"]
    threads = {worker["environment"][name] for name in ("DOCREFINERY_OCR_THREADS", "DOCREFINERY_MODEL_THREADS")}
    assert threads == {worker["cpus"]} == {"${WORKER_CPUS:-1}"}


def test_settings_that_are_named_exist() -> None:
    named = {variable for name in OURS for variable in SERVICES[name]["environment"]} | EXAMPLE.keys()
    own = {"DOCREFINERY_IMAGE", "DOCREFINERY_TARGET", "DOCREFINERY_EXTRAS"}
    assert {name for name in named if name.startswith("DOCREFINERY_")} - own <= settings.variables().keys()


def test_no_secret_is_written_anywhere() -> None:
    for name, value in EXAMPLE.items():
        if re.search("PASSWORD|SECRET|_KEY", name):
            assert value == "", name
    for secret in re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)([^}]*)\}", TEXT):
        assert secret[1] == ":?see .env.example", secret


def test_variables_of_the_composition_are_in_the_example() -> None:
    named = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    optional = {"MAX_CONNECTIONS"}
    assert named - optional <= EXAMPLE.keys()


def test_files_that_are_mounted_are_there() -> None:
    mounted = re.findall(r"^\s+- \./([^:]+):", TEXT, re.MULTILINE)
    assert len(mounted) == 3
    assert [path for path in mounted if not (ROOT / path).is_file()] == []


def test_clamd_takes_what_the_service_takes() -> None:
    text = (ROOT / "deploy/kubernetes/clamd/clamd.conf").read_text()
    limits = dict(re.findall(r"^(\w+) (\d+)M$", text, re.MULTILINE))
    assert int(limits["StreamMaxLength"]) > load({}).upload_max_size_mb
    assert limits["MaxFileSize"] == limits["StreamMaxLength"]
    assert "AlertExceedsMax yes" in text
