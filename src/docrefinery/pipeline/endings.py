"""How a request to a converter ends that was not answered."""

import signal

from docrefinery.errors import OutOfMemory
from docrefinery.pipeline.keeper import Cause
from docrefinery.pipeline.outcomes import Canceled, Crashed, Rejected, TimedOut
from docrefinery.pipeline.postmortem import autopsy
from docrefinery.pipeline.watched import Watched

Ending = Rejected | TimedOut | Crashed | Canceled


def found_dead(child: Watched, memory_bytes: int, seconds: float) -> Ending:
    """Say what became of a child that was not killed by us.

    :param memory_bytes: what it may use.
    :param seconds: what it may take for the request; the kernel ends a child that has computed for longer.
    """
    end = autopsy(child, memory_bytes)
    if isinstance(end, Crashed) and end.signal == signal.SIGXCPU:
        return TimedOut(seconds)
    return end


def cause(ending: Ending) -> Cause:
    """Return why a child is replaced that is killed for this."""
    match ending:
        case Canceled():
            return "canceled"
        case TimedOut():
            return "timeout"
        case Rejected(code=OutOfMemory.error_code):
            return "out_of_memory"
        case Rejected():
            return "disk"
        case Crashed():
            return "died"
