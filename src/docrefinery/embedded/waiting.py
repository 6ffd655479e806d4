"""Waiting for something that another process does."""

import time
from collections.abc import Callable

_STEP_S = 0.01


def until(condition: Callable[[], bool], limit_s: float) -> bool:
    """Wait until a condition holds.

    :param condition: asked again every hundredth of a second.
    :param limit_s: seconds after which waiting ends.
    :returns: whether the condition came true in time.
    """
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_STEP_S)
    return True
