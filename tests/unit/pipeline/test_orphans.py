"""What a child leaves behind."""

import subprocess
import sys

import pytest

# A child that ends after a fork, a session of its own, and another fork: none of its group is left, and two are alive.
LEAVING = """
import os, time
from docrefinery.pipeline import jail
from docrefinery.pipeline.orphans import end_orphans

jail.adopt_orphans()
kept = os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    if os.fork() == 0:
        os.setsid()
        os.fork()
        os.write(writing, f"{os.getpid()}\\n".encode())
        time.sleep(600)
    os._exit(0)
os.close(writing)
os.waitpid(child, 0)
with open(reading) as pipe:
    left = [int(next(pipe)), int(next(pipe))]
end_orphans({kept})
for pid in left:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        print("gone")
os.kill(kept, 0)
print("kept")
end_orphans(())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
def test_what_left_its_session_ends_with_its_parent_and_others_are_kept() -> None:
    ran = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, timeout=30, check=True)
    assert ran.stdout.split() == ["gone", "gone", "kept"]
