"""``make container-check``: build the image, look into it, and run a document through the services of compose.yaml."""

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import Any

from tools.containers import checks, composition
from tools.containers.engine import HOME, ROOT, build, make_base, podman, require_programs
from tools.deployment import composed


def main() -> None:
    """Do all of it, and end with what failed first."""
    parser = argparse.ArgumentParser(prog="make container-check", description=__doc__)
    parser.add_argument("--target", choices=("slim", "models"), default="slim")
    target = parser.parse_args().target
    require_programs()
    HOME.mkdir(exist_ok=True)
    started = time.monotonic()
    [base] = [line[9:] for line in (ROOT / "Containerfile").read_text().splitlines() if line.startswith("ARG BASE=")]
    make_base(base)
    image = build(target)
    print(f"{image} is built: {podman('image', 'inspect', '--format', '{{.Size}}', image).strip()} bytes")
    checks.contents(image, target)
    checks.jail(image)
    composition.remove_all()
    try:
        services(image)
    finally:
        composition.remove_all()
    print(f"All of it in {time.monotonic() - started:.0f} s")


def services(image: str) -> None:
    """Run the composition without what it has from elsewhere: nginx, ClamAV."""
    services: Any = composed()["services"]
    for name in ("api", "worker"):
        services[name]["environment"]["DOCREFINERY_CLAMD_ADDRESS"] = ""
    composition.start("postgres", services["postgres"], image, stand_in=True)
    composition.start("valkey", services["valkey"], image, stand_in=True)
    checks.wait(lambda: checks.listens(5432) and checks.listens(6379), "PostgreSQL and Valkey listen")
    print("migrate:", composition.start("migrate", services["migrate"], image, waits=True).strip())
    api = composition.start("api", services["api"], image)
    worker = composition.start("worker", services["worker"], image)
    checks.wait(lambda: checks.healthy(api), "the HEALTHCHECK of the API passes")
    key = checks.make_key(api)
    print("a document:", checks.journey(api, key, Path(__file__).with_name("journey.py").read_text()))
    checks.stops(api)
    checks.stops(worker)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error}: {json.dumps(str(error.stderr))}") from None
