"""Devices that a converter may use."""

from pathlib import Path

PLAIN = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")
# NVIDIA's, AMD's and Intel's, Windows's own under WSL, and Linux's class of them.
_ACCELERATORS = ("nvidia*", "kfd", "dri", "dxg", "accel")


def accelerators() -> tuple[str, ...]:
    """Return the devices of GPUs that this machine has."""
    return tuple(str(device) for pattern in _ACCELERATORS for device in Path("/dev").glob(pattern))
