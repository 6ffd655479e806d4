"""A process of its own that runs the services: says where they are, then waits for its end."""

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from docrefinery.embedded import EmbeddedServices


def say(what: dict[str, object]) -> None:
    """Write a line that the test reads."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Start on the directory given; stop when standard input ends."""
    # Who has the tests run in the background has them ignore it, and Python then leaves it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    services = EmbeddedServices(Path(sys.argv[1]), durable=False)
    services.start(lambda what: say({"progress": what}))
    say({"pids": services.pids, "urls": asdict(services.endpoints)})
    sys.stdin.read()
    services.stop()


if __name__ == "__main__":
    main()
