"""Boxes that are near each other, as groups."""

from collections.abc import Sequence

from docrefinery.engine.geometric.model import Box


def clusters(boxes: Sequence[Box], distance: float) -> list[list[int]]:
    """Return the indices of boxes, in groups within which one comes from each to each over gaps of up to a distance.

    :param distance: in points, along x and along y.
    """
    parents = list(range(len(boxes)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    active: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda index: (boxes[index][0], index)):
        left, top, _, bottom = boxes[index]
        active = [other for other in active if boxes[other][2] + distance >= left]
        for other in active:
            if boxes[other][1] - distance <= bottom and top - distance <= boxes[other][3]:
                parents[root(index)] = root(other)
        active.append(index)
    groups: dict[int, list[int]] = {}
    for index in range(len(boxes)):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())
