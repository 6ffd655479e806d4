"""Loading: once, before there is work; and one line for a folder, a torch or a device that will not do."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from docling.models.stages.table_structure.table_structure_model import TableStructureModel
from docling_ibm_models.tableformer.data_management.tf_predictor import TFPredictor
from transformers import AutoModelForImageClassification, AutoModelForImageTextToText, AutoModelForObjectDetection

from docrefinery.capabilities import Hardware, Models
from docrefinery.capabilities.checkpoints import CHECKPOINTS
from docrefinery.engine.base import EngineOptions, EngineResult, Help, OcrLanguages
from docrefinery.engine.models.engine import ModelEngine
from docrefinery.engine.models.loading import load
from docrefinery.pipeline import keeper
from docrefinery.pipeline.converter import ChildLimits, Converter, ConverterUnavailable
from docrefinery.pipeline.outcomes import Converted, Task
from tests.models.test_service import REPORT

LOADERS = {
    "layout": (AutoModelForObjectDetection, "from_pretrained"),
    "tables": (TFPredictor, "_load_model"),
    "picture_classification": (AutoModelForImageClassification, "from_pretrained"),
    "picture_description": (AutoModelForImageTextToText, "from_pretrained"),
}
LIMITS = ChildLimits(memory_bytes=4 * 2**30)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Write the report."""
    file = tmp_path / "report.pdf"
    file.write_bytes(REPORT)
    return file


def run(engine: ModelEngine, source: Path, **options: object) -> EngineResult:
    """Convert a file."""
    asked = msgspec.structs.replace(EngineOptions(), **options)
    return engine.convert(source, "report.pdf", asked, lambda _done, _total: None, Help())


def test_each_model_is_loaded_once_whatever_the_jobs_ask_for(hardware: Hardware, report: Path) -> None:
    with ExitStack() as stack:
        counts = {
            part: stack.enter_context(patch.object(owner, name, autospec=True, side_effect=getattr(owner, name)))
            if part == "tables"
            else stack.enter_context(patch.object(owner, name, side_effect=getattr(owner, name)))
            for part, (owner, name) in LOADERS.items()
        }
        pipeline, models = load(hardware)
        assert pipeline is not None, models.problem
        assert {part: count.call_count for part, count in counts.items()} == dict.fromkeys(LOADERS, 1)
        engine = ModelEngine(pipeline, models, hardware)
        plain = run(engine, report)
        tables = run(engine, report, do_table_structure=True, images_scale=1.5)
        everything = run(
            engine,
            report,
            do_ocr=True,
            ocr_options=OcrLanguages(("auto",)),
            do_table_structure=True,
            do_picture_classification=True,
            do_picture_description=True,
            generate_picture_images=True,
            images_scale=2.0,
        )
        assert {part: count.call_count for part, count in counts.items()} == dict.fromkeys(LOADERS, 1)
    assert "tables" not in plain.engine
    assert tables.engine["tables"] == models.held["tables"]
    assert everything.engine["picture_description"] == models.held["picture_description"]
    assert models.memory_bytes > 0


def test_the_table_model_is_the_one_that_docling_names() -> None:
    [tables] = [each for each in CHECKPOINTS if each.part == "tables"]
    assert tables.folder == TableStructureModel._model_repo_folder
    assert all(name.startswith(TableStructureModel._model_path) for name in tables.files)


def remove(folder: Path) -> None:
    """Remove a needed model."""
    (folder / CHECKPOINTS[0].folder).rename(folder / "elsewhere")


def cut(folder: Path) -> None:
    """Leave half of the weights."""
    file = folder / CHECKPOINTS[1].folder / CHECKPOINTS[1].files[1]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def swap(folder: Path) -> None:
    """Put another model's weights in the place of the table model's: whole, and useless."""
    weights = (folder / CHECKPOINTS[0].folder / "model.safetensors").read_bytes()
    (folder / CHECKPOINTS[1].folder / CHECKPOINTS[1].files[1]).write_bytes(weights)


def garble(folder: Path) -> None:
    """Break the configuration."""
    (folder / CHECKPOINTS[1].folder / CHECKPOINTS[1].files[0]).write_text("{")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (remove, "docling-project--docling-layout-heron is not there: docrefinery models download"),
        (cut, "bytes: docrefinery models download"),
        (swap, "the layout and table models cannot be loaded: "),
        (garble, "the layout and table models cannot be loaded: "),
    ],
)
def test_a_damaged_folder_gives_one_line(copied: Path, damage: Callable[[Path], None], words: str) -> None:
    damage(copied)
    pipeline, models = load(Hardware(models_folder=str(copied), device="cpu"))
    assert pipeline is None
    assert words in models.problem
    assert "\n" not in models.problem
    # Clients read it.
    assert str(copied.parent) not in models.problem


def test_a_damaged_classifier_is_left_out_alone(copied: Path, report: Path) -> None:
    (copied / CHECKPOINTS[2].folder / "config.json").write_text("{")
    hardware = Hardware(models_folder=str(copied), device="cpu")
    pipeline, models = load(hardware)
    assert pipeline is not None
    assert "picture_classification" not in models.held
    assert models.broken["picture_classification"].startswith("the picture classification model cannot be loaded: ")
    result = run(ModelEngine(pipeline, models, hardware), report, do_picture_classification=True)
    [warning] = result.warnings
    assert warning.code == "PICTURE_CLASSIFICATION_NOT_AVAILABLE"
    assert "the picture classification model cannot be loaded" in warning.message


@pytest.mark.parametrize("device", ["cuda:7", "cuda", "mps", "xpu"])
def test_a_device_that_is_not_there_is_named(models_dir: Path, device: str) -> None:
    pipeline, models = load(Hardware(models_folder=str(models_dir), device=device))
    assert pipeline is None
    assert f"DOCREFINERY_DEVICE is {device}, which is not available here; set it to auto or cpu" in models.problem


async def held(folder: Path) -> Models:
    """Return what a real child holds."""
    converter = Converter(LIMITS, (), models=Hardware(models_folder=str(folder), device="cpu"))
    try:
        await converter.start()
        return converter.models
    finally:
        await converter.close()


async def test_a_torch_that_does_not_find_its_libraries_gives_one_line(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "path/torch/__init__.py"
    broken.parent.mkdir(parents=True)
    broken.write_text("raise OSError('libcudart.so.13: cannot open shared object file: No such file or directory')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    models = await held(models_dir)
    assert not models.usable
    assert models.problem.startswith("torch cannot be used: libcudart.so.13: cannot open shared object file")


async def test_a_child_that_dies_while_it_loads_is_followed_by_one_without_models(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = tmp_path / "path/torch/__init__.py"
    deadly.parent.mkdir(parents=True)
    deadly.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    converter = Converter(LIMITS, (), models=Hardware(models_folder=str(models_dir), device="cpu"))
    try:
        tries = 0
        while not converter.models.problem:
            tries += 1
            assert tries < 10
            with suppress(ConverterUnavailable):
                await converter.start()
        await converter.start()
        assert converter.models.problem.startswith("while it loaded Docling's models, ")
    finally:
        await converter.close()


async def test_loading_that_hangs_is_given_up_at_once(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "path/torch/__init__.py"
    hanging.parent.mkdir(parents=True)
    hanging.write_text("import threading; threading.Event().wait()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    hardware = Hardware(models_folder=str(models_dir), device="cpu", loading_seconds=2)
    converter = Converter(LIMITS, (), models=hardware)
    try:
        with pytest.raises(ConverterUnavailable, match="not ready after 2 s"):
            await converter.start()
        await converter.start()
        assert not converter.models.usable
        assert "not ready after 2 s" in converter.models.problem
    finally:
        await converter.close()


async def test_children_that_hold_models_are_forked_for_each_tenant_in_no_time(
    hardware: Hardware, report: Path, tmp_path: Path
) -> None:
    converter = Converter(LIMITS, (), models=hardware)
    served = []
    try:
        for number, tenant in enumerate(("ours", "theirs", "ours")):
            converter.serve(tenant)
            workdir = tmp_path / str(number)
            workdir.mkdir()
            task = Task(
                source=report, name="a.pdf", workdir=workdir, options={"do_table_structure": True}, exports=("text",),
                timeout_seconds=100, engine="docling", content_types={},
            )  # fmt: skip
            outcome = await converter.convert(task, lambda _: None)
            assert isinstance(outcome, Converted), outcome
            assert outcome.engine["name"] == "docling"
            zygote = converter._keeper._nursery._zygote
            assert zygote is not None
            served.append((converter.pid, zygote.pid))
    finally:
        await converter.close()
    assert len({pid for pid, _ in served}) == 3
    assert len({zygote for _, zygote in served}) == 1
    assert converter.replaced == {"tenant": 2}


async def usable(converter: Converter) -> bool:
    """Return whether the child that runs now holds models."""
    await converter.start()
    return converter.models.usable and not converter.models.loading


async def test_models_that_could_not_be_loaded_are_tried_again_with_a_later_child(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = copied / CHECKPOINTS[0].folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    converter = Converter(LIMITS, (), models=Hardware(models_folder=str(copied), device="cpu"))
    try:
        assert not await usable(converter)
        weights.write_bytes(whole)
        converter.kill()
        assert not await usable(converter)
        monkeypatch.setattr(keeper, "time", Later())
        converter.kill()
        assert await usable(converter)
    finally:
        await converter.close()


class Later:
    """The time, when it is worth while to try again."""

    @staticmethod
    def monotonic() -> float:
        """Return it."""
        return time.monotonic() + keeper.AGAIN_SECONDS


def test_nothing_is_asked_of_a_network(models_dir: Path) -> None:
    """Loading in a process whose every connection fails and is told of."""
    script = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('it wanted a network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from docrefinery.capabilities import Hardware\n"
        "from docrefinery.engine.models.loading import load\n"
        f"pipeline, models = load(Hardware(models_folder={str(models_dir)!r}, device='cpu'))\n"
        "sys.exit(models.problem or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
