"""What a converter process finds in its environment."""

import os
from pathlib import Path

from docrefinery.capabilities import Hardware

# Slots are processes; a library that starts a thread per core inside each of them only makes them fight, and a process
# with threads cannot have forks do some of its work.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
# Which of the machine's GPUs it may see, and where their libraries are.
_ACCELERATORS = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "ZE_AFFINITY_MASK")


def environment(home: Path, hardware: Hardware | None = None) -> dict[str, str]:
    """Return a converter's environment variables: nothing that is secret, nothing that leads outside."""
    names = ("PATH", "PYTHONPATH", "TESSDATA_PREFIX", *(_ACCELERATORS if hardware else ()))
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
        **homely(home),
        **dict.fromkeys(_THREADS, str(hardware.threads if hardware else 1)),
    }


def homely(home: Path) -> dict[str, str]:
    """Return what leads programs and libraries to a child's own folder."""
    return {"HOME": str(home), "TMPDIR": str(home)}
