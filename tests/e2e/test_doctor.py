"""`docrefinery doctor`: on a machine where something runs, where nothing does, and where something is wrong."""

import json
from pathlib import Path

from tests.support.processes import docrefinery, environment
from tests.support.refinery import Refinery

Findings = dict[str, tuple[str, str]]


def findings(text: str) -> Findings:
    return {row["part"]: (row["status"], row["detail"]) for row in json.loads(text)}


def test_doctor_knows_the_running_installation(refinery: Refinery) -> None:
    done = refinery.command("doctor", "--json")
    assert done.returncode == 0, done.stderr
    found = findings(done.stdout)
    parts = ("database", "migrations", "broker", "storage", "workers", "webhook secrets", "database roles")
    assert {part: found[part][0] for part in parts} == dict.fromkeys(parts, "ok")
    assert found["profile fast_text"] == ("ok", "has what it needs")
    status, detail = found["profile full_vlm"]
    assert status == "degraded"
    assert "DOCREFINERY_PICTURE_DESCRIPTION_URL" in detail
    assert found["ocr"][0] == "ok"
    assert found["models"][0] == "degraded"
    assert found["models"][1].startswith("not used: ")


def test_doctor_says_what_keeps_a_converter_apart(refinery: Refinery) -> None:
    """By starting one: whatever this machine holds, each measure is told once, as held or with what it lacks."""
    found = findings(refinery.command("doctor", "--json").stdout)
    status, detail = found["jail"]
    assert status in ("ok", "degraded")
    for name in ("network", "files", "system calls", "privileges", "limits"):
        assert name in detail
    assert (status == "ok") == ("; but not " not in detail)
    ready = refinery.client.get("/readyz").json()["checks"]["jail"]
    assert ready["status"] == status
    assert found["tenants in a converter"] == ("ok", "one: replaced when the tenant changes")


def test_doctor_looks_at_a_machine_on_which_nothing_runs_and_fits_a_terminal(tmp_path: Path) -> None:
    environ = environment(DOCREFINERY_DATA_DIR=str(tmp_path), COLUMNS="80")
    done = docrefinery("doctor", environ=environ)
    assert done.returncode == 0, done.stderr
    assert "docrefinery" in done.stdout
    assert "Nothing runs on" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    rapid = docrefinery("doctor", "--json", environ=environ | {"DOCREFINERY_OCR_ENGINE": "rapidocr"})
    assert findings(rapid.stdout)["ocr"][1].startswith("rapidocr")


def test_doctor_fails_where_the_database_cannot_be_reached(tmp_path: Path) -> None:
    environ = environment(
        DOCREFINERY_DATA_DIR=str(tmp_path),
        DATABASE_URL="postgresql://who:hush-now@127.0.0.1:9/none",
        REDIS_URL="redis://127.0.0.1:9/0",
    )
    done = docrefinery("doctor", "--json", environ=environ)
    assert done.returncode == 1
    assert "hush-now" not in done.stdout + done.stderr
    found = findings(done.stdout)
    assert {part for part, (status, _) in found.items() if status == "failed"} >= {"database", "broker"}
    assert found["webhook secrets"][0] == "degraded"


def test_doctor_fails_where_the_storage_folder_cannot_be_made(tmp_path: Path) -> None:
    environ = environment(
        DOCREFINERY_DATA_DIR=str(tmp_path),
        DOCREFINERY_STORAGE_URL="file:///proc/nope",
        DATABASE_URL="postgresql://who@127.0.0.1:9/none",
        REDIS_URL="redis://127.0.0.1:9/0",
    )
    done = docrefinery("doctor", "--json", environ=environ)
    assert done.returncode == 1
    assert findings(done.stdout)["storage"][0] == "failed"
    assert "/proc/nope" in findings(done.stdout)["storage"][1]
