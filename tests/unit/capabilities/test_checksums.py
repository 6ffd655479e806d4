"""Comparing model files with what the hub has."""

import hashlib
import json
from pathlib import Path

import pytest

from docrefinery.capabilities.checkpoints import CHECKPOINTS
from docrefinery.capabilities.checksums import wrong_files
from tests.unit.capabilities.test_checkpoints import weights, write

LAYOUT = CHECKPOINTS[0]
COMMIT = "a" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a model as the hub's client leaves it."""
    write(tmp_path, LAYOUT)
    place = tmp_path / LAYOUT.folder
    files = {}
    for name in LAYOUT.files:
        content = (place / name).read_bytes()
        entry = {"size": len(content), "blob_id": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}
        if name.endswith(".safetensors"):
            entry |= {"size": 134, "blob_id": "0" * 40, "lfs_sha256": hashlib.sha256(content).hexdigest()}
            entry["lfs_size"] = len(content)
        files[name] = entry
        note = place / ".cache/huggingface/download" / f"{name}.metadata"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{COMMIT}\netag\n1.0\n")
    tree = place / ".cache/huggingface/trees" / f"{COMMIT}.json"
    tree.parent.mkdir()
    tree.write_text(json.dumps({"format_version": 1, "files": files}))
    return tmp_path


def test_what_was_downloaded_is_right(folder: Path) -> None:
    assert wrong_files(folder, LAYOUT) == []


def test_a_changed_byte_a_changed_configuration_and_a_missing_file_are_found(folder: Path) -> None:
    content = bytearray(weights(folder).read_bytes())
    content[-1] ^= 1
    weights(folder).write_bytes(content)
    assert wrong_files(folder, LAYOUT) == ["model.safetensors"]
    (folder / LAYOUT.folder / "config.json").write_text("[]")
    (folder / LAYOUT.folder / "preprocessor_config.json").unlink()
    assert wrong_files(folder, LAYOUT) == ["config.json", "preprocessor_config.json", "model.safetensors"]


def test_files_that_somebody_copied_there_have_nothing_to_be_compared_with(tmp_path: Path) -> None:
    write(tmp_path, LAYOUT)
    assert wrong_files(tmp_path, LAYOUT) is None
