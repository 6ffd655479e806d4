"""The four profiles on documents that are born digital, scanned, and both; with real processes."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from docling_core.types.doc import DoclingDocument
from PIL import Image

from tests.support import pdfs, scans
from tests.support.packages import require_package
from tests.support.processes import docrefinery, ended, environment, wait_until
from tests.support.refinery import Client, Refinery, fresh

DIGITAL = pdfs.born_digital(2, scans.ENGLISH)
SCANNED = scans.english_scan(2)
MIXED = scans.joined(pdfs.with_figure("A page with a figure, born digital."), scans.english_scan())
TEXTS = ["docling_json", "doctags", "markdown", "text"]
KINDS = {
    "fast_text": TEXTS,
    "ocr_only": TEXTS,
    "structured": [*TEXTS, "chunks_json"],
    "full_vlm": [*TEXTS, "chunks_json", "figures_zip"],
}
LACKS = {
    "fast_text": set(),
    "ocr_only": set(),
    "structured": {"MODELS_NOT_INSTALLED"},
    "full_vlm": {
        "MODELS_NOT_INSTALLED",
        "PICTURE_CLASSIFICATION_NOT_AVAILABLE",
        "PICTURE_DESCRIPTION_NOT_AVAILABLE",
    },
}


def contents(client: Client, job_id: int) -> dict[str, bytes]:
    return {
        artifact["kind"]: client.get(f"/v1/artifacts/{artifact['id']}/").content
        for artifact in client.artifacts(job_id)
    }


@pytest.mark.parametrize("profile", KINDS)
@pytest.mark.parametrize("content", [DIGITAL, SCANNED, MIXED], ids=["digital", "scanned", "mixed"])
def test_a_profile_gives_every_artifact_it_lists(client: Client, profile: str, content: bytes) -> None:
    submitted = client.submit(fresh(content), profile=profile)
    job = client.finished(submitted["job_id"])
    assert (job["status"], job["error_code"]) == ("SUCCEEDED", ""), job
    assert (job["profile"], job["pages_total"], job["pages_done"]) == (profile, 2, 2)
    client.assert_converted(job["id"], KINDS[profile])
    found = contents(client, job["id"])
    DoclingDocument.model_validate_json(found["docling_json"])
    reads = content is not DIGITAL or profile == "ocr_only"
    expected = {DIGITAL: 2, SCANNED: 2, MIXED: 1}[content] if profile != "fast_text" or content is DIGITAL else 0
    assert found["text"].decode().count("The harbour master kept a ledger") == expected
    assert ("ocr" in job["engine"]) is (reads and profile != "fast_text")
    silent = {"NO_TEXT"} if profile == "fast_text" and content is not DIGITAL else set()
    assert {warning["code"] for warning in job["warnings"]} - {"BASIC_SCANNER"} == LACKS[profile] | silent
    if "chunks_json" in found:
        chunks = json.loads(found["chunks_json"])
        assert chunks["format"] == "doctags"
        assert chunks["content"].startswith("<doctag>")
        assert job["chunk_ms"] is not None
    else:
        assert job["chunk_ms"] is None


def test_figures_are_cut_out_at_twice_the_size(client: Client) -> None:
    job = client.finished(client.submit(fresh(MIXED), profile="full_vlm")["job_id"])
    with zipfile.ZipFile(io.BytesIO(contents(client, job["id"])["figures_zip"])) as archive:
        [name] = archive.namelist()  # The scan is a page, not a figure.
        assert Image.open(io.BytesIO(archive.read(name))).size == (400, 400)


@pytest.mark.parametrize("ocr", ["tesseract", "rapidocr"])
def test_clean_print_at_200_dpi_reads_as_its_source(tmp_path: Path, ocr: str) -> None:
    """RapidOCR is what an installation without Tesseract has."""
    if ocr == "tesseract":
        require_package("tesseract", "tesseract-ocr")
    source = tmp_path / "ledger.pdf"
    source.write_bytes(SCANNED)
    done = docrefinery(
        "convert", source, "--profile", "ocr_only", "--out", tmp_path, environ=environment(DOCREFINERY_OCR_ENGINE=ocr)
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "ledger" / "ledger.txt").read_text()
    assert scans.similarity(text, f"Page 1 {scans.ENGLISH} Page 2 {scans.ENGLISH}") >= 0.95


def test_recognition_tells_its_pages_and_is_canceled_within_one(refinery: Refinery, client: Client) -> None:
    job_id = client.submit(fresh(scans.english_scan(30)), profile="ocr_only")["job_id"]
    job = client.running(job_id)
    assert (job["pages_total"], job["stage"]) == (30, "CONVERTING")
    (converter,) = refinery.converters
    family = [converter, *converter.children(recursive=True)]
    assert client.post(f"/v1/jobs/{job_id}/cancel/").status_code == 202
    wait_until(lambda: all(ended(process) for process in family), 2, "converter and OCR end")
    assert client.finished(job_id, 5)["status"] == "CANCELED"
    assert refinery.processes("tesseract") == []
    client.assert_converted(client.submit(fresh(DIGITAL))["job_id"])


def test_options_turn_recognition_on_and_off(client: Client) -> None:
    on = client.finished(client.submit(fresh(SCANNED), profile="fast_text", options_json='{"ocr": true}')["job_id"])
    off = client.finished(client.submit(fresh(SCANNED), profile="structured", options_json='{"ocr": false}')["job_id"])
    default = client.finished(client.submit(fresh(SCANNED), options_json='{"ocr_languages": ["en"]}')["job_id"])
    assert ["ocr" in job["engine"] for job in (on, off, default)] == [True, False, True]
    assert b"harbour" in contents(client, on["id"])["text"]
    assert contents(client, off["id"])["text"] == b""
    assert default["options"]["ocr_languages"] == ["en"]


@pytest.mark.parametrize(
    ("page_range", "status", "code", "pages"),
    [
        ([2, 3], "SUCCEEDED", "", 2),
        ([3, 99], "SUCCEEDED", "", 1),
        ([4, 9], "FAILED", "CONVERSION_FAILED", None),
    ],
)
def test_a_page_range_in_and_out_of_the_document(
    client: Client, page_range: list[int], status: str, code: str, pages: int | None
) -> None:
    options = json.dumps({"page_range": page_range})
    submitted = client.submit(fresh(pdfs.born_digital(3)), profile="structured", options_json=options)
    job = client.finished(submitted["job_id"])
    assert (job["status"], job["error_code"]) == (status, code)
    assert job["pages_total"] in (pages, None)
