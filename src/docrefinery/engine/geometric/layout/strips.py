"""White strips between boxes, seen along x."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from docrefinery.engine.geometric.model import Box


def profile_of(boxes: Sequence[Box], weights: Sequence[float]) -> list[tuple[float, float, float]]:
    """Return where each step of the sum of weights along x begins and ends, and how much is there."""
    events = sorted(
        [(box[0], weight) for box, weight in zip(boxes, weights, strict=True)]
        + [(box[2], -weight) for box, weight in zip(boxes, weights, strict=True)]
    )
    covered, steps = 0.0, []
    for (x, weight), (following, _) in pairwise(events):
        covered += weight
        if following > x:
            steps.append((x, following, covered))
    return steps


def strips_of(profile: Sequence[tuple[float, float, float]], limit: float) -> list[tuple[float, float]]:
    """Return where a profile is no higher than a limit."""
    strips: list[tuple[float, float]] = []
    for start, end, covered in profile:
        if covered > limit + 0.1:
            continue
        if strips and strips[-1][1] == start:
            strips[-1] = strips[-1][0], end
        else:
            strips.append((start, end))
    return strips


def has_near(ordered: Sequence[float], value: float, distance: float) -> bool:
    """Whether a sorted sequence has a value that is no farther off than a distance."""
    at = bisect_left(ordered, value - distance)
    return at < len(ordered) and ordered[at] <= value + distance
