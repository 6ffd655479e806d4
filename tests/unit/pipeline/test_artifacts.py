"""The drawings that a child says it wrote."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from docrefinery.pipeline.artifacts import accept_drawings
from docrefinery.pipeline.protocol import ProtocolError


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    tmp_path.joinpath("layout-0001.png").write_bytes(b"picture")
    tmp_path.joinpath("layout-0002.png").symlink_to("/etc/passwd")
    return tmp_path


def test_a_drawing_is_found_under_its_pages_name(workdir: Path) -> None:
    (drawing,) = accept_drawings(workdir, asked=True, drawn=[1])
    assert (drawing.page, drawing.path.read_bytes()) == (1, b"picture")


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [(False, [1]), (True, [1, 1]), (True, [2]), (True, [3])],
    ids=["unasked", "twice", "a link", "missing"],
)
def test_what_is_not_a_drawing_is_refused(workdir: Path, asked: bool, drawn: Sequence[int]) -> None:
    with pytest.raises(ProtocolError, match="drawing"):
        accept_drawings(workdir, asked=asked, drawn=drawn)
