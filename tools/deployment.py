"""Read compose.yaml and deploy/kubernetes as Docker Compose, kustomize and the API server do; run by .venv-deploy."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent
KUBERNETES = ROOT / "deploy/kubernetes"
KINDS_OF_OPERATORS = ("ServiceMonitor",)
"""Their schemas come with the operator that adds them."""
CLASSES = ("fast", "ocr", "model", "webhooks", "maintenance")
"""What workers may be told to take; those that are told nothing take all of it."""


def said(*command: str | Path, text: str | None = None) -> str:
    """Return what one of the programs prints; end with what it complains about."""
    ran = subprocess.run(
        [PROGRAMS / command[0], *command[1:]],
        cwd=ROOT,
        env={"PATH": os.defpath, "HOME": os.environ.get("HOME", "/")},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {ran.stderr.strip() or ran.stdout.strip()}")
    return ran.stdout


def composed(*options: str) -> Any:
    """Return what Docker Compose makes of its file, with secrets that are made up.

    :param options: ``--profile`` and the name of one; its variables are set then, as .env.example says.
    """
    made = subprocess.run(["sh", ROOT / "deploy/compose/make-env"], capture_output=True, text=True, check=True).stdout
    with NamedTemporaryFile("w", suffix=".env") as file:
        file.write(re.sub("^#(?=[A-Z_]+=)", "", made, flags=re.MULTILINE) if options else made)
        file.flush()
        read = said("docker-compose", "--env-file", file.name, *options, "config", "--format", "json")
    return json.loads(read.replace("$$", "$"))


def compositions() -> Iterator[str]:
    """Have Docker Compose read its file, and yield what it found."""
    yield f"compose.yaml: {', '.join(composed()['services'])}"
    yield f"compose.yaml with object storage: {', '.join(composed('--profile', 's3')['services'])}"


def manifests() -> Iterator[str]:
    """Render the manifests, hold each to the schema of its kind, and yield what was found."""
    for folder in ("base", "example"):
        rendered = said("kubectl", "kustomize", KUBERNETES / folder)
        documents: list[Any] = [found for found in yaml.safe_load_all(rendered) if found]
        known = [found for found in documents if found["kind"] not in KINDS_OF_OPERATORS]
        said("kubernetes-validate", "--strict", "--quiet", "-", text=yaml.safe_dump_all(known))
        hold_workers(folder, documents)
        yield f"deploy/kubernetes/{folder}: {len(known)} of {len(documents)} held to their schemas"


def hold_workers(folder: str, documents: list[Any]) -> None:
    """End if a class of jobs has no workers or two kinds of them, or if their number is said twice or never."""
    scalers = [found["spec"] for found in documents if found["kind"] == "HorizontalPodAutoscaler"]
    scaled = [scaler["scaleTargetRef"]["name"] for scaler in scalers]
    taken: list[str] = []
    for found in documents:
        if found["kind"] != "Deployment":
            continue
        command, *told = found["spec"]["template"]["spec"]["containers"][0]["args"]
        if command != "worker":
            continue
        taken += told[1].split(",") if told else CLASSES
        name = found["metadata"]["name"]
        if ("replicas" in found["spec"]) + scaled.count(name) != 1:
            sys.exit(f"deploy/kubernetes/{folder}: it is not said once how many of {name} there are")
    if sorted(taken) != sorted(CLASSES):
        sys.exit(f"deploy/kubernetes/{folder}: its workers take {', '.join(sorted(taken))}")


if __name__ == "__main__":
    for line in (*compositions(), *manifests()):
        print(line)
