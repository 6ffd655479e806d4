"""Why a converter died: of memory, which its document explains, or of something that another attempt may survive."""

import re
import signal

from docrefinery.errors import OutOfMemory
from docrefinery.pipeline.outcomes import Crashed, Rejected
from docrefinery.pipeline.watched import Watched

_OUT_OF_MEMORY = re.compile(
    r"bad_alloc|MemoryError|out of memory|(cannot allocate|failed to allocate) memory|memory allocation .*failed"
    # What is left of a MemoryError that found no memory for itself.
    r"|SystemError: .* without (setting an )?exception",
    re.IGNORECASE,
)
# An allocation that fails is bigger than what was left, so the peak seen before it is somewhat below the bound.
_NEAR = 0.75


def out_of_memory(memory_bytes: int) -> Rejected:
    """Return the outcome of a document that needs more memory than a converter may use."""
    mebibytes = memory_bytes // (1024 * 1024)
    message = (
        f"the conversion needs more than the {mebibytes} MiB that a converter may use; "
        "convert fewer pages at a time (page_range), or let the operator raise DOCREFINERY_CHILD_MEMORY_MB"
    )
    return Rejected(OutOfMemory.error_code, message, {"memory_bytes": memory_bytes})


def autopsy(child: Watched, memory_bytes: int) -> Rejected | Crashed:
    """Say what ended a process that was not killed by us."""
    stderr = child.stderr_tail()
    code = child.returncode if child.returncode is not None else 0
    if _OUT_OF_MEMORY.search(stderr) or (_died_by_itself(code) and child.peak_bytes > _NEAR * memory_bytes):
        return out_of_memory(memory_bytes)
    if code < 0:
        return Crashed(reason=f"the converter was ended by {_name(-code)}", signal=-code, stderr=stderr)
    return Crashed(reason=f"the converter ended with exit code {code}", exit_code=code, stderr=stderr)


def _died_by_itself(code: int) -> bool:
    return -code in {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP}


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
