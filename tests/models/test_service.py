"""`structured` and `full_vlm` on Docling's models, through the running service."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docling_core.types.doc import DoclingDocument

from tests.support.openai import completion, endpoint
from tests.support.pdfs import born_digital, slow
from tests.support.processes import wait_until
from tests.support.refinery import Client, Json, Refinery, fresh

REPORT = (Path(__file__).parents[1] / "data/harbour-report.pdf").read_bytes()
STRUCTURED = ["chunks_json", "docling_json", "doctags", "markdown", "text"]
SECONDS = 180.0


def converted(client: Client, content: bytes = REPORT, **fields: str) -> Json:
    """Have a document converted."""
    job = client.finished(client.submit(fresh(content), **fields)["job_id"], SECONDS)
    assert (job["status"], job["error_code"]) == ("SUCCEEDED", ""), job
    return job


def artifact(client: Client, job: Json, kind: str) -> bytes:
    """Return an artifact's bytes."""
    [found] = [each for each in client.artifacts(job["id"]) if each["kind"] == kind]
    return client.get(f"/v1/artifacts/{found['id']}/").content


def document_of(client: Client, job: Json) -> DoclingDocument:
    """Return the document of a job, as an integrator loads it."""
    return DoclingDocument.model_validate_json(artifact(client, job, "docling_json"))


def events(refinery: Refinery, name: str) -> list[dict[str, Any]]:
    """Return the log lines of an event."""
    lines = [line for line in refinery.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, lines) if line["event"] == name]


def test_structured_runs_layout_and_tables_and_full_vlm_all_of_it(client: Client, refinery: Refinery) -> None:
    structured = converted(client, profile="structured")
    assert structured["warnings"] == [w for w in structured["warnings"] if w["code"] == "BASIC_SCANNER"]
    engine = structured["engine"]
    assert engine["name"] == "docling"
    assert engine["layout"].startswith("docling-layout-heron@")
    assert engine["tables"].startswith("docling-models@")
    assert (engine["device"], engine["torch"] != "") == ("cpu", True)
    assert not {"picture_classification", "picture_description"} & engine.keys()
    client.assert_converted(structured["id"], STRUCTURED)
    assert document_of(client, structured).tables

    full = converted(client, profile="full_vlm")
    assert full["engine"]["picture_classification"].startswith("DocumentFigureClassifier-v2.5@")
    assert full["engine"]["picture_description"].startswith("SmolVLM-256M-Instruct@")
    client.assert_converted(full["id"], [*STRUCTURED, "figures_zip"])
    pictures = document_of(client, full).pictures
    assert pictures
    for picture in pictures:
        assert picture.meta is not None
        assert picture.meta.classification is not None
        assert picture.meta.classification.predictions
        assert picture.image is not None
    with zipfile.ZipFile(io.BytesIO(artifact(client, full, "figures_zip"))) as figures:
        assert len(figures.namelist()) == len(pictures)
    # One child, which loaded once: neither job loaded anything.
    assert len(events(refinery, "models_loaded")) == 1


def test_no_profile_runs_on_them_and_fast_text_and_ocr_only_do_not(client: Client) -> None:
    assert converted(client)["engine"]["name"] == "docling"
    assert converted(client, born_digital(), profile="fast_text")["engine"]["name"] == "geometric"
    assert converted(client, born_digital(), profile="ocr_only")["engine"]["name"] == "geometric"


def test_page_range_and_limits_hold_as_with_the_geometric_engine(client: Client) -> None:
    part = converted(client, profile="structured", options_json='{"page_range": [2, 2]}')
    assert (part["pages_total"], part["pages_done"]) == (1, 1)
    assert list(document_of(client, part).pages) == [2]
    submitted = client.submit(fresh(REPORT), profile="structured", options_json='{"max_num_pages": 1}')
    refused = client.finished(submitted["job_id"], SECONDS)
    assert (refused["status"], refused["error_code"]) == ("FAILED", "PAGE_LIMIT_EXCEEDED")


def test_what_the_installation_can_do_is_told(client: Client, refinery: Refinery) -> None:
    wait_until(lambda: client.get("/readyz").json()["checks"]["models"]["status"] == "ok", SECONDS, "models are held")
    profiles = {each["name"]: each for each in client.get("/v1/profiles/").json()["results"]}
    assert {name: each["engine"] for name, each in profiles.items()} == {
        "fast_text": "geometric",
        "ocr_only": "geometric",
        "structured": "docling",
        "full_vlm": "docling",
    }
    assert all(each["available"] and each["missing"] == [] for each in profiles.values())
    assert client.get("/readyz").json()["checks"]["models"]["status"] == "ok"
    [worker] = client.get("/v1/dashboard/workers").json()["results"]
    assert sorted(worker["profiles"]) == ["fast_text", "full_vlm", "ocr_only", "structured"]
    assert worker["models"]["layout"].startswith("docling-layout-heron@")
    assert "model" in worker["queues"]
    doctor = json.loads(refinery.command("doctor", "--json").stdout)
    assert {each["part"]: each["status"] for each in doctor}["models"] == "ok"


def test_a_canceled_job_stops_and_a_late_one_times_out_and_the_models_come_back(client: Client) -> None:
    job_id = client.submit(fresh(slow(200)), profile="structured")["job_id"]
    client.running(job_id, SECONDS)
    assert client.post(f"/v1/jobs/{job_id}/cancel/").status_code == 202
    wait_until(lambda: client.job(job_id)["status"] == "CANCELED", 5, "it is canceled")
    submitted = client.submit(fresh(slow(200)), profile="structured", options_json='{"document_timeout": 1}')
    late = client.finished(submitted["job_id"], SECONDS)
    assert (late["status"], late["error_code"]) == ("FAILED", "CONVERSION_TIMEOUT")
    assert converted(client, profile="structured")["engine"]["name"] == "docling"


def test_an_endpoint_is_preferred_to_the_model_at_hand_and_its_nonsense_is_a_warning(
    make: Any, models_dir: Path
) -> None:
    with endpoint() as server:
        own = make(DOCREFINERY_MODELS_DIR=str(models_dir), DOCREFINERY_PICTURE_DESCRIPTION_URL=server.url).start()
        server.answer = lambda _: (200, completion("A harbour."))
        described = converted(own.client, profile="full_vlm")
        pictures = document_of(own.client, described).pictures
        assert {p.meta and p.meta.description and p.meta.description.text for p in pictures} == {"A harbour."}
        assert described["engine"]["picture_description"] == "endpoint"
        assert len(server.asked) == len(pictures)
        server.answer = lambda _: (200, b"<html>")
        nonsense = converted(own.client, profile="full_vlm")
    down = converted(own.client, profile="full_vlm")
    for job in (nonsense, down):
        assert "PICTURE_DESCRIPTION_FAILED" in {warning["code"] for warning in job["warnings"]}
        assert not any(p.meta and p.meta.description for p in document_of(own.client, job).pictures)


@pytest.mark.parametrize("engine", ["geometric", "docling"])
def test_the_engine_can_be_fixed(make: Any, models_dir: Path, engine: str) -> None:
    own = make(DOCREFINERY_MODELS_DIR=str(models_dir), DOCREFINERY_ENGINE=engine).start()
    job = converted(own.client, profile="structured")
    assert job["engine"]["name"] == engine
    assert len(events(own, "models_loaded")) == (engine == "docling")
