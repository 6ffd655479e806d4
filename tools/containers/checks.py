"""What has to be so in the image and of the containers that run from it."""

import json
import sys
import time
from collections.abc import Callable

from tools.containers.composition import PREFIX
from tools.containers.engine import podman, run

MOST_BYTES = {"slim": 1_500_000_000, "models": 9_000_000_000}
UNWANTED = "cc gcc g++ make git curl wget ld as perl5 node"
CONTENTS = f"""
set -eu
for program in {UNWANTED}; do
    if command -v $program; then echo "the image has $program" && exit 1; fi
done
code=$(python3 -c 'import docrefinery, pathlib; print(pathlib.Path(docrefinery.__file__).parent)')
sources=$(find "$code" -name '*.py' | wc -l)
[ "$sources" = "$(find "$code" -name '*.pyc' | wc -l)" ] || {{ echo "not everything is compiled" && exit 1; }}
for module in docrefinery docrefinery.api litestar; do
    python3 -v -c "import $module" 2>&1 | grep -q "code object from.*/$(echo $module | tr . /)/__pycache__/__init__" ||
        {{ echo "the compiled $module is not what its source is" && exit 1; }}
done
for leftover in /root/.cache /build /wheels /var/lib/apt/lists/* "$code/tests" /opt/docrefinery/tests; do
    if [ -e "$leftover" ]; then echo "the image has $leftover" && exit 1; fi
done
if touch /opt/docrefinery/x 2>/dev/null || touch /etc/x 2>/dev/null; then echo "the root is not read-only" && exit 1; fi
id -u
tesseract --list-langs | tail -n +2 | tr '\\n' ' '
"""


def fail(reason: str) -> None:
    """End with a reason, and with what the containers say."""
    for name in podman("ps", "--all", "--filter", f"name=^{PREFIX}", "--format", "{{.Names}}").split():
        print(f"== {name}\n{podman('logs', '--tail', '20', name, check=False)}", file=sys.stderr)
    sys.exit(reason)


def contents(image: str, target: str) -> None:
    """The image has what it needs, nothing that builds, fetches or tests, an unprivileged user, and a bounded size."""
    user, languages = run(image, "-c", CONTENTS, options=["--entrypoint", "sh"]).splitlines()
    if user != "10001":
        fail(f"the image's user is {user}")
    print(f"contents: user {user}, Tesseract with {languages}")
    size = int(podman("image", "inspect", "--format", "{{.Size}}", image))
    if size > MOST_BYTES[target]:
        fail(f"the image has {size} bytes, more than {MOST_BYTES[target]}")


def jail(image: str) -> None:
    """Every measure of the converter's jail holds, under the engine's own profile of system calls."""
    told = json.loads(run(image, "doctor", "--json", check=False))
    [found] = [part for part in told if part["part"] == "jail"]
    if found["status"] != "ok":
        fail(f"the jail: {found['detail']}")
    print(f"jail: {found['detail']}")


def wait(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            fail(f"not so after {seconds:.0f} s: {what}")
        time.sleep(0.5)


def listens(port: int) -> bool:
    """Whether something listens in the network of the containers."""
    code = f"import socket; print(socket.socket().connect_ex(('127.0.0.1', {port})))"
    return podman("exec", f"{PREFIX}postgres", "python3", "-c", code, check=False).strip() == "0"


def healthy(container: str) -> bool:
    """Whether the command of the image's HEALTHCHECK succeeds."""
    podman("healthcheck", "run", container, check=False)
    state = podman("inspect", "--format", "{{.State.Healthcheck.Status}} {{.State.Running}}", container)
    return state.split() == ["healthy", "true"]


def make_key(api: str) -> str:
    """Make a tenant and return a key of it."""
    podman("exec", api, "docrefinery", "tenant", "create", "acme")
    made = podman("exec", api, "docrefinery", "key", "create", "--tenant", "acme", "--scope", "all", "--json")
    return str(json.loads(made)["key"])


def journey(api: str, key: str, script: str) -> str:
    """Have a document converted and return what became of it."""
    status, kinds, handed = podman("exec", "--interactive", api, "python3", "-", key, text=script).split()
    if (status, kinds) != ("SUCCEEDED", "docling_json,doctags,markdown,text"):
        fail(f"the document's job: {status} with {kinds}")
    # As nginx reads it: through the group alone.
    path = handed.replace("/protected/", "/var/lib/docrefinery/blobs/")
    mount = f"--volume={PREFIX}blobs:/var/lib/docrefinery/blobs:ro"
    image = podman("inspect", "--format", "{{.ImageName}}", api).strip()
    size = run(
        image, "-c", f"wc -c <{path}", options=["--entrypoint", "sh", mount, "--user=101:101", "--group-add=10001"]
    )
    return f"{status}, {kinds}; nginx would send {size.strip()} bytes"


def stops(container: str) -> None:
    """A container ends in order, and in time, when it is told to."""
    started = time.monotonic()
    podman("stop", "--time", "30", container)
    code = podman("inspect", "--format", "{{.State.ExitCode}}", container).strip()
    if code not in ("0", "143"):
        fail(f"{container} ended with {code}")
    print(f"{container} ended with {code} after {time.monotonic() - started:.1f} s")
