"""Services of compose.yaml as containers that share one network of their own, where each has the name it has there."""

from pathlib import Path
from typing import Any

from tools.containers.engine import HOME, LIMITS, podman

STAND_INS = Path(__file__).with_name("stand-ins.sh")
"""Starts PostgreSQL and Valkey from the image's own packages: there is no registry to have theirs from."""
PREFIX = "docrefinery-check-"


def start(name: str, service: Any, image: str, *, stand_in: bool = False, waits: bool = False) -> str:
    """Start a service as the composition describes it and return the container's name.

    :param service: what Docker Compose made of it.
    :param stand_in: run from our image a program that has an image of its own.
    :param waits: return what it says when it has ended, and fail if it failed.
    """
    container = PREFIX + name
    options = ["--name", container, *_confinement(service), *_mounts(service), *LIMITS]
    options += [f"--env={variable}={value}" for variable, value in service["environment"].items() if value is not None]
    hosts = HOME / "hosts"
    hosts.write_text("127.0.0.1 localhost postgres valkey api\n")
    network = "none" if name == "postgres" else f"container:{PREFIX}postgres"
    options += [f"--network={network}", "--no-hosts", f"--volume={hosts}:/etc/hosts:ro"]
    if stand_in or service.get("healthcheck", {}).get("disable"):
        options += ["--no-healthcheck"]
    command = list(service["command"])
    if stand_in:
        options += ["--entrypoint", "bash", f"--volume={STAND_INS}:/stand-ins.sh:ro"]
        command = ["/stand-ins.sh", *command]
    else:
        options += ["--user", service["user"]]
    if waits:
        return podman("run", *options, image, *command)
    podman("run", "--detach", *options, image, *command)
    return container


def _confinement(service: Any) -> list[str]:
    options = ["--read-only"] if service["read_only"] else []
    options += [f"--cap-drop={capability}" for capability in service["cap_drop"]]
    options += [f"--security-opt={option.removesuffix(':true')}" for option in service["security_opt"]]
    options += [f"--tmpfs={place}" for place in service["tmpfs"]]
    return [*options, f"--pids-limit={service['pids_limit']}", f"--memory={service['mem_limit']}"]


def _mounts(service: Any) -> list[str]:
    mounts = []
    for mount in service.get("volumes", ()):
        source = mount["source"] if mount["type"] == "bind" else PREFIX + mount["source"]
        mounts.append(f"--volume={source}:{mount['target']}{':ro' if mount.get('read_only') else ''}")
    return mounts


def remove_all() -> None:
    """Remove every container and volume of these."""
    containers = podman("ps", "--all", "--filter", f"name=^{PREFIX}", "--format", "{{.Names}}").split()
    # The first one has the network of the others.
    for container in sorted(containers, key=lambda name: name.endswith("postgres")):
        podman("rm", "--force", "--volumes", "--time", "1", container, check=False)
    for volume in podman("volume", "ls", "--quiet", "--filter", f"name={PREFIX}").split():
        podman("volume", "rm", "--force", volume)
