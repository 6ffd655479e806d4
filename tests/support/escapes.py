"""A plugin that tries to get out of a converter, in all the ways that a jail is there for."""

import json
from pathlib import Path
from typing import Any

from tests.support import plugins

_SOURCE = r'''
import ctypes, errno, json, os, resource, signal, socket, subprocess, threading
from pathlib import Path

from docrefinery.plugin import Exporter, hookimpl

KNOWN = json.loads(r"""@known@""")
libc = ctypes.CDLL(None, use_errno=True)

def attempt(what, *arguments):
    try:
        return what(*arguments)
    except ValueError as error:
        return str(error)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))

def native(function, *arguments):
    """Call the C library, of which Python's own watch over exporters hears nothing."""
    return "done" if function(*arguments) >= 0 else errno.errorcode[ctypes.get_errno()]

def create(path):
    return native(libc.open, str(path).encode(), os.O_CREAT | os.O_WRONLY, 0o700)

def read(path):
    return native(libc.open, str(path).encode(), os.O_RDONLY)

def connect(family, address):
    with socket.socket(family) as connection:
        connection.settimeout(5)
        connection.connect(address)
    return "connected"

def send_datagram(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.sendto(b"x", address)
    return "sent"

def raise_limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

def run_own_program():
    program = Path("program")
    program.write_bytes(Path("/bin/true").resolve().read_bytes())
    program.chmod(0o700)
    return subprocess.run(["./program"]).returncode

def in_a_thread(what, *arguments):
    found = []
    thread = threading.Thread(target=lambda: found.append(what(*arguments)))
    thread.start()
    thread.join()
    return found[0]

def in_a_fork(what):
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(writing, what().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        return pipe.read().decode()

def status():
    lines = Path("/proc/self/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}

def trying(document, stream):
    parent, here = KNOWN["parent"], ("127.0.0.1", KNOWN["port"])
    found = {
        "tcp": attempt(connect, socket.AF_INET, here),
        "udp": attempt(send_datagram, here),
        "unix": attempt(connect, socket.AF_UNIX, KNOWN["socket"]),
        "read key": read(KNOWN["key"]),
        "read key in a thread": in_a_thread(read, KNOWN["key"]),
        "read key by a program": subprocess.run(["cat", KNOWN["key"]], capture_output=True).returncode,
        "read settings": read("/etc/hosts"),
        "create in data dir": create(Path(KNOWN["key"]).parent / "x"),
        "create in temporary folder": create("/tmp/docrefinery-escaped"),
        "create in shared memory": create("/dev/shm/docrefinery-escaped"),
        "create among modules": create(Path(json.__file__).parent / "escaped.py"),
        "create at home": create(Path.home() / "x"),
        "parent's environment": read(f"/proc/{parent}/environ"),
        "parent's memory": read(f"/proc/{parent}/mem"),
        "signal parent": native(libc.kill, parent, 0),
        "signal neighbour": native(libc.kill, KNOWN["neighbour"], 0),
        "trace parent": native(libc.ptrace, 16, parent, None, None),
        "new session": native(libc.setsid),
        "new group": in_a_fork(lambda: native(libc.setpgid, 0, 0)),
        "shared memory": native(libc.shmget, 0x5eed, 4096, 0o1600),
        "attached memory": native(libc.shmat, 0, None, 0),
        "queue": native(libc.msgget, 0x5eed, 0o1600),
        "semaphores": native(libc.semget, 0x5eed, 1, 0o1600),
        "named queue": native(libc.mq_open, b"/docrefinery-escaped", os.O_CREAT | os.O_RDWR, 0o600, None),
        "file in memory": native(libc.memfd_create, b"x", 0),
        "new namespace": native(libc.unshare, 0x10000000),
        "become root": native(libc.setuid, 0) if os.getuid() else "EPERM",
        "raise a limit": attempt(raise_limit) or "done",
        "run own program": attempt(run_own_program),
        "tesseract": attempt(lambda: subprocess.run(["tesseract", "--version"], capture_output=True).returncode),
        "account": [os.getuid(), os.geteuid(), os.getgid(), os.getgroups()],
        "status": status(),
        "limits": {name: resource.getrlimit(getattr(resource, name))[0] for name in KNOWN["limits"]},
    }
    stream.write(json.dumps(found).encode())

def forking(document, stream):
    children = []
    try:
        while len(children) < 3000:
            # A small program: what a fork shares with this process would be counted as its memory.
            children.append(os.posix_spawn("/bin/sleep", ["sleep", "600"], {}))
        refused = None
    except OSError as error:
        refused = errno.errorcode[error.errno]
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    stream.write(json.dumps({"forked": len(children), "refused": refused}).encode())

def spinning(document, stream):
    resource.setrlimit(resource.RLIMIT_CPU, (1, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    while True:
        pass

@hookimpl
def docrefinery_exporters():
    return [
        Exporter(kind=write.__name__, summary="A trick.", content_type="application/json", suffix=".json", write=write)
        for write in (trying, forking, spinning)
    ]
'''


def install(folder: Path, known: dict[str, Any]) -> None:
    """Install the plugin ``escapes``.

    :param known: what an attacker may know: its parent, a neighbour, a port, a socket, and where the key is.
    """
    plugins.install(folder, "escapes", _SOURCE.replace("@known@", json.dumps(known)))
