"""A part of the fault matrix that `make soak` goes through at random: what was promised holds after each."""

from collections.abc import Iterator

import pytest

from tests.support.faults import FAULTS
from tests.support.ground import STAGES, Ground, StageName, proving_ground
from tests.support.pdfs import born_digital

WITH_EACH_STAGE = ("worker_frozen", "database_killed")
WITH_ONE: tuple[tuple[str, StageName], ...] = (
    ("worker_killed", "FINALIZING"),
    ("worker_told_to_stop", "EXPORTING"),
    ("converter_killed", "CHUNKING"),
    ("zygote_killed", "CONVERTING"),
    ("database_restarted", "FINALIZING"),
    ("database_frozen", "CONVERTING"),
    ("broker_flushed", "EXPORTING"),
    ("scanner_away", "SCANNING"),
    ("storage_away", "CONVERTING"),
    ("storage_full", "CHUNKING"),
    ("api_told_to_stop", "CONVERTING"),
    ("slow_clients", "EXPORTING"),
)
MATRIX = [*((fault, stage) for fault in WITH_EACH_STAGE for stage in STAGES), *WITH_ONE]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with proving_ground(tmp_path_factory.mktemp("ground") / "home") as ground:
        yield ground


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("fault", "stage"), MATRIX)
def test_promise_holds_after(ground: Ground, fault: str, stage: StageName) -> None:
    held = ground.held_in(stage)
    waiting = ground.submit(born_digital())
    FAULTS[fault](ground, held)
    ground.let_go()
    ground.check([held, waiting])
