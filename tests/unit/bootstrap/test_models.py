"""Whether a machine's workers load models, and how many of them do."""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from docrefinery.bootstrap import models
from docrefinery.bootstrap.models import available_bytes, bytes_needed, models_of, slots_of
from docrefinery.capabilities import Hardware, Models, models as known
from docrefinery.capabilities.checkpoints import CHECKPOINTS
from docrefinery.settings import Settings
from tests.unit.capabilities.test_checkpoints import write


class Memory(NamedTuple):
    """What psutil tells."""

    available: int


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A machine with every model and torch."""
    monkeypatch.setattr(known, "missing_packages", lambda: "")
    monkeypatch.setattr(models, "_CGROUPS", ())
    for checkpoint in CHECKPOINTS:
        write(tmp_path, checkpoint)
    return Settings(models_dir=tmp_path, workers=4)


def change(settings: Settings, **changes: Any) -> Settings:
    """Return other settings."""
    return msgspec.structs.replace(settings, **changes)


def test_models_are_loaded_unless_the_operator_wants_none(settings: Settings) -> None:
    assert isinstance(models_of(settings), Hardware)
    for unwanted in ({"engine": "geometric"}, {"model_slots": 0}):
        assert isinstance(models_of(change(settings, **unwanted)), Models)
        assert slots_of(change(settings, **unwanted)) is None


@pytest.mark.parametrize(("fitting", "slots"), [(0.5, 1), (1.5, 1), (3.1, 3), (9.0, 4)])
def test_as_many_workers_load_them_as_fit_into_memory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fitting: float, slots: int
) -> None:
    free = int(bytes_needed(settings) * fitting)
    monkeypatch.setattr("psutil.virtual_memory", lambda: Memory(free))
    assert slots_of(settings) == slots


@pytest.mark.parametrize(("set_to", "slots"), [(1, 1), (3, 3), (9, 4)])
def test_the_operators_number_counts_whatever_the_memory(settings: Settings, set_to: int, slots: int) -> None:
    assert slots_of(change(settings, model_slots=set_to)) == slots


@pytest.mark.parametrize(("limit", "free"), [("1000", 600), ("max", 5000), ("9000", 5000), ("300", 0)])
def test_a_containers_limit_counts_where_it_is_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, free: int
) -> None:
    (tmp_path / "limit").write_text(f"{limit}\n")
    (tmp_path / "used").write_text("400\n")
    absent = (tmp_path / "absent", tmp_path / "absent")
    monkeypatch.setattr(models, "_CGROUPS", ((tmp_path / "limit", tmp_path / "used"), absent))
    monkeypatch.setattr("psutil.virtual_memory", lambda: Memory(5000))
    assert available_bytes() == free
