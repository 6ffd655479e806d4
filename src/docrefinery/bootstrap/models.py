"""Whether a converter loads Docling's models, and how many of them a machine has room for."""

import os
from pathlib import Path

import psutil

from docrefinery.capabilities import Hardware, Models, installed_models
from docrefinery.capabilities.checkpoints import CHECKPOINTS, examine
from docrefinery.settings import Settings

_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)
"""Where a container finds its limit of memory and what it uses (https://docs.kernel.org/admin-guide/cgroup-v2.html), in
version 2 and version 1."""
_NVIDIA = Path("/dev/nvidia0")
_TORCH_BYTES = 700 * 2**20
"""Resident memory of torch, transformers and Docling before any model: 640 MiB with torch 2.15 on a CPU."""
_WEIGHTS = 1.5
"""Memory of a model for each byte of its file: weights are read into place, buffers come on top."""


def models_of(settings: Settings) -> Hardware | Models:
    """Return what a converter loads Docling's models with, or why it loads none."""
    if settings.engine == "geometric":
        return Models(problem="DOCREFINERY_ENGINE is geometric")
    if settings.model_slots == 0:
        return Models(problem="DOCREFINERY_MODEL_SLOTS is 0")
    there = installed_models(settings.models_folder)
    if not there.usable:
        return there
    cores = len(os.sched_getaffinity(0))
    return Hardware(
        models_folder=str(settings.models_folder.absolute()),
        device=settings.device,
        threads=settings.model_threads or max(1, cores // (settings.model_slots or 1)),
        page_batch_size=settings.page_batch_size,
        picture_batch_size=settings.picture_batch_size,
        loading_seconds=settings.models_loading_seconds,
    )


def bytes_needed(settings: Settings) -> int:
    """Return the memory to plan for a converter with models and a large document; what it takes it says itself."""
    files = sum(examine(settings.models_folder, checkpoint).size_bytes for checkpoint in CHECKPOINTS)
    return _TORCH_BYTES + int(files * _WEIGHTS) + settings.child_max_rss_mb * 2**20


def slots_of(settings: Settings) -> int | None:
    """Return how many of this machine's workers load models: as set, or as many as fit into memory, at least one.

    :returns: ``None`` where there are none to load.
    """
    if not isinstance(models_of(settings), Hardware):
        return None
    if settings.model_slots is not None:
        return min(settings.model_slots, settings.workers)
    if _on_gpu(settings):
        # How much fits into its memory, nothing here knows.
        return 1
    fitting = available_bytes() // bytes_needed(settings)
    return max(1, min(fitting, settings.workers))


def _on_gpu(settings: Settings) -> bool:
    if settings.device == "auto":
        return _NVIDIA.exists()
    return settings.device != "cpu"


def available_bytes() -> int:
    """Return the memory that is free: the machine's, or the container's if that is less."""
    free = psutil.virtual_memory().available
    for limit, used in _CGROUPS:
        try:
            # Version 2 says `max` where there is no limit.
            free = min(free, max(int(limit.read_text("ascii")) - int(used.read_text("ascii")), 0))
        except (OSError, ValueError):
            continue
    return free
