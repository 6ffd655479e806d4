"""Docling's model files: which there are, and whether they are whole."""

import json
import os
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest
from docling.datamodel.pipeline_options import LayoutObjectDetectionOptions, PictureDescriptionVlmEngineOptions
from docling.models.stages.picture_classifier.document_picture_classifier import DocumentPictureClassifierOptions

from docrefinery.capabilities import models
from docrefinery.capabilities.checkpoints import CHECKPOINTS, STAMP, Checkpoint, Found, Stamp, examine
from docrefinery.capabilities.models import installed_models

LAYOUT, TABLES = CHECKPOINTS[0], CHECKPOINTS[1]
NOBODY = 65534


def safetensors(size: int = 100) -> bytes:
    """Return a file of one tensor of so many bytes."""
    header = json.dumps({"weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size)


def write(folder: Path, *checkpoints: Checkpoint) -> None:
    """Write what loading needs of models."""
    for checkpoint in checkpoints:
        for name in checkpoint.files:
            file = folder / checkpoint.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(safetensors() if file.suffix == ".safetensors" else b"{}")


def weights(folder: Path, checkpoint: Checkpoint = LAYOUT) -> Path:
    """Return the file of a model's weights."""
    return next((folder / checkpoint.folder).rglob("*.safetensors"))


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have torch and the others seem installed."""
    monkeypatch.setattr(models, "find_spec", lambda name: name)


def test_they_are_what_docling_asks_for() -> None:
    layout = LayoutObjectDetectionOptions().model_spec
    classifier = DocumentPictureClassifierOptions.from_preset("document_figure_classifier_v2")
    describer = PictureDescriptionVlmEngineOptions.from_preset("smolvlm").model_spec
    asked = {
        "layout": (layout.repo_id, layout.revision),
        "picture_classification": (classifier.repo_id, classifier.revision),
        "picture_description": (describer.default_repo_id, describer.revision),
    }
    known = {each.part: (each.repo, each.revision) for each in CHECKPOINTS if each.part != "tables"}
    # The table model's class, which names its own, cannot be imported without torch: tests/models looks at it.
    assert known == asked


def test_whole_ones_are_ready_and_optional_ones_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path, LAYOUT, TABLES)
    assert examine(tmp_path, LAYOUT).state == "ready"
    found = installed_models(tmp_path)
    assert found.usable
    # Whoever filled the folder left no word of what it was filled with.
    assert found.held == {"layout": "docling-layout-heron@unknown", "tables": "docling-models@unknown"}
    assert found.problem == ""


def test_a_branch_is_shown_by_its_commit_and_a_tag_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, LAYOUT, TABLES)
    for checkpoint in (LAYOUT, TABLES):
        note = tmp_path / checkpoint.folder / ".cache/huggingface/download" / f"{checkpoint.files[0]}.metadata"
        note.parent.mkdir(parents=True)
        note.write_text(f"{'0123456789abcdef' * 3:.40}\netag\n1.0\n")
    stamp = Stamp("2.142.1", {TABLES.repo: TABLES.revision})
    (tmp_path / STAMP).write_bytes(msgspec.json.encode(stamp))
    assert installed_models(tmp_path).held == {
        "layout": "docling-layout-heron@0123456789ab",
        "tables": "docling-models@v2.3.0",
    }


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    assert installed_models(tmp_path / "none").problem == "there is no models folder: docrefinery models download"
    assert installed_models(tmp_path).problem == (
        "docling-project--docling-layout-heron is not there: docrefinery models download"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (safetensors(1000)[:500], "docling-project--docling-layout-heron/model.safetensors has 500 of 1,079 bytes"),
        (safetensors()[:20], "docling-project--docling-layout-heron/model.safetensors is no whole safetensors file"),
        (b"", "docling-project--docling-layout-heron/model.safetensors is no whole safetensors file"),
        (b"<html>", "docling-project--docling-layout-heron/model.safetensors is no whole safetensors file"),
        (
            b"\x02" + bytes(7) + b"[]",
            "docling-project--docling-layout-heron/model.safetensors is no whole safetensors file",
        ),
    ],
)
def test_half_a_file_is_named_with_its_size(tmp_path: Path, content: bytes, problem: str) -> None:
    write(tmp_path, LAYOUT, TABLES)
    weights(tmp_path).write_bytes(content)
    assert examine(tmp_path, LAYOUT).problem == problem
    assert installed_models(tmp_path).problem == f"{problem}: docrefinery models download"


@pytest.mark.parametrize("name", LAYOUT.files)
def test_a_missing_or_empty_file_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, LAYOUT)
    file = tmp_path / LAYOUT.folder / name
    file.unlink()
    assert examine(tmp_path, LAYOUT).problem == f"{LAYOUT.folder}/{name} is not there"


def test_an_empty_configuration_is_named(tmp_path: Path) -> None:
    write(tmp_path, LAYOUT)
    (tmp_path / LAYOUT.folder / "config.json").write_bytes(b"")
    assert examine(tmp_path, LAYOUT).problem == f"{LAYOUT.folder}/config.json is empty"


def test_a_download_for_another_docling_says_which(tmp_path: Path) -> None:
    write(tmp_path, LAYOUT, TABLES)
    stamp = Stamp("2.60.0", {TABLES.repo: "v2.2.0", LAYOUT.repo: "main"})
    (tmp_path / STAMP).write_bytes(msgspec.json.encode(stamp))
    assert examine(tmp_path, LAYOUT).state == "ready"
    assert installed_models(tmp_path).problem == (
        "docling-project--docling-models has revision v2.2.0, downloaded for Docling 2.60.0; this Docling wants "
        "v2.3.0: docrefinery models download"
    )


def as_nobody(folder: Path) -> Found:
    """Look at a folder as somebody who may read nothing."""
    os.setuid(NOBODY)
    return examine(folder, LAYOUT)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    write(tmp_path, LAYOUT)
    (tmp_path / LAYOUT.folder).chmod(0o700)
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    with get_context("fork").Pool(1) as pool:
        found = pool.apply(as_nobody, (tmp_path,))
    assert (found.state, found.problem) == ("broken", f"{LAYOUT.folder} cannot be read: Permission denied")


def test_without_torch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, LAYOUT, TABLES)
    monkeypatch.setattr(models, "find_spec", lambda name: None if name == "torch" else name)
    found = installed_models(tmp_path)
    assert not found.usable
    assert found.problem == "torch is not installed: pip install 'docrefinery[models]'"
