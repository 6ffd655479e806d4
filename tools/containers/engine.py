"""Podman, with everything that it keeps in one folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".containers"
PODMAN = (
    *("podman", "--root", str(HOME / "storage"), "--runroot", str(HOME / "run"), "--storage-driver", "overlay"),
    *("--cgroup-manager", "cgroupfs", "--runtime", "runc"),
)
NEEDED = {"podman": "podman", "runc": "runc", "debootstrap": "debootstrap"}
LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")
"""Podman's own are higher than a machine without CAP_SYS_RESOURCE may set."""


def require_programs() -> None:
    """End with one line if the machine lacks something."""
    lacking = [package for program, package in NEEDED.items() if not shutil.which(program, path=_path())]
    if lacking or os.geteuid():
        sys.exit(f"This needs root and the Debian packages {' '.join(NEEDED.values())}; missing: {lacking or 'root'}")


def podman(*arguments: str | Path, text: str | None = None, check: bool = True, loud: bool = False) -> str:
    """Run a command and return what it prints.

    :param text: what it reads.
    :param check: end this program if it fails.
    :param loud: show what it says while it runs, and return nothing.
    """
    ran = subprocess.run(
        [*PODMAN, *arguments],
        env=os.environ | {"PATH": _path()},
        input=text,
        stdout=None if loud else subprocess.PIPE,
        stderr=None if loud else subprocess.PIPE,
        text=True,
        check=False,
    )
    if check and ran.returncode:
        sys.exit(f"podman {' '.join(map(str, arguments))}\n{ran.stdout or ''}{ran.stderr or ''}")
    return ran.stdout or ""


def make_base(name: str) -> None:
    """Have debootstrap make what the registry's Debian is made of, unless it is there."""
    if name in podman("images", "--format", "{{.Repository}}:{{.Tag}}").split():
        return
    suite = name.rpartition(":")[2].removesuffix("-slim")
    tree = HOME / suite
    subprocess.run(["debootstrap", "--variant=minbase", suite, tree], check=True, stdout=subprocess.DEVNULL)
    for leftover in (tree / "var/cache/apt/archives", tree / "var/lib/apt/lists", tree / "usr/share/doc"):
        shutil.rmtree(leftover)
        leftover.mkdir()
    (tree / "var/cache/apt/archives/partial").mkdir()
    packed = subprocess.Popen(["tar", "--create", "--directory", tree, "."], stdout=subprocess.PIPE)
    subprocess.run([*PODMAN, "import", "--quiet", "-", name], stdin=packed.stdout, check=True)
    if packed.wait():
        sys.exit(f"tar cannot pack {tree}")
    shutil.rmtree(tree)


def build(target: str) -> str:
    """Build a target of the Containerfile and return its name; what is done already is taken from the last time."""
    certificates, settings = Path("/etc/ssl/certs/ca-certificates.crt"), HOME / "pip.conf"
    # A machine behind a mirror has its authority among the system's certificates, which the base image does not.
    settings.write_text("[global]\ntimeout = 180\ncert = /run/certificates.crt\n")
    podman(
        "build", "--isolation", "chroot", "--pull-never", "--format", "docker", "--target", target,
        "--tag", f"docrefinery:{target}", "--secret", f"id=pip.conf,src={settings}",
        "--volume", f"{certificates}:/run/certificates.crt:ro", "--build-arg", f"REVISION={revision()}",
        "--file", ROOT / "Containerfile", ROOT, loud=True,
    )  # fmt: skip
    return f"docrefinery:{target}"


def revision() -> str:
    """Return the commit that is built."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def run(image: str, *command: str, options: Iterable[str | Path] = (), check: bool = True) -> str:
    """Run a container as compose.yaml runs the service's, to its end, and return what it prints."""
    hardened = (
        "--read-only",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
        "--tmpfs=/tmp",
        "--network=none",
        "--no-healthcheck",
    )
    return podman("run", "--rm", *hardened, *LIMITS, *options, image, *command, check=check)


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
