"""The zygote: ``python -m docrefinery.pipeline.zygote <descriptor of its socket>``.

It has everything loaded, Docling's models too, one thread, no secrets and no network, and looks at no document: it
forks children that do, in milliseconds. They are its own, so it waits for them, when it is told that they have ended.
"""

import gc
import os
import socket
import sys
import tempfile
import traceback
from pathlib import Path

import msgspec

from docrefinery.capabilities import Hardware
from docrefinery.pipeline import jail, protocol
from docrefinery.pipeline.child import Child, Parent, quieten, serve
from docrefinery.pipeline.environment import homely
from docrefinery.pipeline.jail import limits
from docrefinery.pipeline.orphans import end_orphans
from docrefinery.pipeline.warming import warm_up
from docrefinery.plugin.registry import PluginError, load


class Zygote:
    """What a warm zygote does.

    :param control: the socket that its worker orders with.
    :param offline: whether it has left the network.
    """

    def __init__(self, control: socket.socket, child: Child, setup: protocol.Setup, *, offline: bool) -> None:
        self._control = control
        self._child = child
        self._setup = setup
        self._offline = offline
        self._living: set[int] = set()

    def obey(self) -> None:
        """Do what is ordered until the worker is gone."""
        while True:
            received, descriptors, _, _ = socket.recv_fds(self._control, protocol.MAX_PACKET, 2)
            if not received:
                return
            report = self._done(protocol.orders.decode(received), descriptors)
            self._control.send(protocol.packet(report))

    def _done(self, order: protocol.Order, descriptors: list[int]) -> protocol.Report:
        match order:
            case protocol.Fork(folder=folder):
                return self._fork(folder, descriptors)
            case protocol.Bury(pid=pid):
                return self._bury(pid)
            case protocol.Setup():
                raise RuntimeError("a second setup")

    def _fork(self, folder: str, descriptors: list[int]) -> protocol.Forked:
        this = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            return protocol.Forked(0, f"no process can be started: {error.strerror}")
        finally:
            if os.getpid() == this:
                for descriptor in descriptors:
                    os.close(descriptor)
        if pid == 0:
            # Nothing of the zygote's own end may run in a child: it leaves through here.
            os._exit(self._be_born(folder, descriptors, this))
        self._living.add(pid)
        return protocol.Forked(pid)

    def _bury(self, pid: int) -> protocol.Buried:
        returncode = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._living.discard(pid)
        end_orphans(self._living)
        return protocol.Buried(returncode)

    def _spread_out(self, hardware: Hardware) -> None:
        """Let a child use the cores, and bound what it needs beyond the models that it was forked with."""
        self._child.spread_out(hardware.threads)
        limits.bound_memory(self._setup.memory_bytes, beyond_now=True)

    def _be_born(self, folder: str, descriptors: list[int], zygote: int) -> int:
        """Become a child, serve, and return the exit code."""
        try:
            os.setsid()
            self._control.close()
            connection, stderr = descriptors
            os.dup2(stderr, sys.stderr.fileno())
            os.close(stderr)
            _move_to(jail.home(folder))
            cell = msgspec.structs.replace(self._setup.cell, folder=folder)
            measures = jail.enter(cell, offline=self._offline, parent=zygote)
            if self._setup.hardware is not None:
                self._spread_out(self._setup.hardware)
            parent = socket.socket(fileno=connection)
            parent.set_inheritable(False)
            serve(Parent(parent), self._child, measures)
        except SystemExit as error:
            return error.code if isinstance(error.code, int) else 1
        except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody catches
            traceback.print_exc()
            return 1
        finally:
            sys.stderr.flush()
        return 0


def _move_to(home: Path) -> None:
    os.chdir(home)
    os.environ.update(homely(home))
    # It was looked for in another home.
    tempfile.tempdir = None


def _threads() -> int:
    tasks = Path("/proc/self/task")
    return sum(1 for _ in tasks.iterdir())


def main() -> None:
    """Load everything, then fork for one worker until it closes its end."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    offline = jail.leave_network()
    jail.die_with(os.getppid())
    jail.adopt_orphans()
    setup = protocol.orders.decode(control.recv(protocol.MAX_PACKET))
    assert isinstance(setup, protocol.Setup)
    if setup.hardware is None:
        limits.bound_memory(setup.memory_bytes)
    quieten()
    try:
        registry = load(setup.plugins)
    except PluginError as error:
        control.send(protocol.packet(protocol.Unusable(str(error))))
        return
    child = Child(registry, setup, forks=True)
    warm_up(child, Path.cwd())
    jail.prepare()
    # Pages that the collector does not write to stay shared.
    gc.collect()
    gc.freeze()
    control.send(protocol.packet(protocol.Warm(_threads())))
    Zygote(control, child, setup, offline=offline).obey()


if __name__ == "__main__":
    main()
