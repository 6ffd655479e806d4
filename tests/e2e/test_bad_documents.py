"""What nobody should upload: each ends with its own code, and the service goes on."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Start
from tests.support import pdfs
from tests.support.refinery import Json, Refinery, fresh

Options = dict[str, Any]


@pytest.fixture(scope="module")
def own(make_shared: Start) -> Refinery:
    """One with narrow bounds."""
    return make_shared(
        "bounds",
        MAX_PAGES="6",
        DOCREFINERY_MAX_PAGES_LIMIT="8",
        DOCREFINERY_CHILD_MEMORY_MB="1536",
        DOCREFINERY_CHILD_MAX_RSS_MB="1024",
    ).start()


@pytest.fixture(autouse=True)
def _goes_on(own: Refinery) -> Any:
    """After each of these, a good document is converted."""
    yield
    own.assert_one_set(own.client.submit(fresh(pdfs.born_digital()))["job_id"])


def failed(own: Refinery, content: bytes, profile: str = "", **options: Any) -> Json:
    """Submit a document that has to fail, and return its job."""
    more = {"profile": profile} if profile else {}
    uploaded = own.client.submit(content, options_json=json.dumps(options), **more)
    job = own.client.finished(uploaded["job_id"])
    assert job["status"] == "FAILED", job
    assert job["error_message"]
    assert str(own.home) not in json.dumps(job)
    assert own.client.artifacts(job["id"]) == []
    assert own.blobs(job["uuid"]) == []
    assert own.client.get(f"/v1/documents/{uploaded['id']}/").json()["status"] == "FAILED"
    return job


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (pdfs.truncated, "INVALID_PDF"),
        (pdfs.no_pages, "INVALID_PDF"),
        (lambda: b"%PDF-1.7\nnothing of a PDF but its first line\n" * 20, "INVALID_PDF"),
        (lambda: pdfs.encrypted("secret"), "ENCRYPTED_PDF"),
    ],
    ids=["truncated", "without pages", "by its first line only", "behind a password"],
)
def test_a_document_that_cannot_be_read_says_why(own: Refinery, make: Callable[[], bytes], code: str) -> None:
    assert failed(own, fresh(make()))["error_code"] == code


@pytest.mark.parametrize(
    ("pages", "options", "limit"),
    [(4, {"max_num_pages": 3}, 3), (7, {}, 6), (9, {"max_num_pages": 100}, 8), (9, {"max_num_pages": 0}, 8)],
    ids=["the request's limit", "the installation's default", "the cap", "no limit is still the cap"],
)
def test_more_pages_than_allowed(own: Refinery, pages: int, options: Options, limit: int) -> None:
    job = failed(own, fresh(pdfs.born_digital(pages)), **options)
    assert job["error_code"] == "PAGE_LIMIT_EXCEEDED"
    assert str(limit) in job["error_message"]


def test_a_page_range_counts_its_own_pages(own: Refinery) -> None:
    uploaded = own.client.submit(fresh(pdfs.born_digital(9)), options_json='{"page_range": [2, 4]}')
    own.assert_one_set(uploaded["job_id"])
    assert own.client.job(uploaded["job_id"])["pages_total"] == 3


def test_larger_than_the_requests_max_file_size(own: Refinery) -> None:
    assert failed(own, fresh(pdfs.born_digital()), max_file_size=100)["error_code"] == "FILE_TOO_LARGE"


def test_document_timeout_stops_a_conversion(own: Refinery) -> None:
    # Reading pages from their pictures takes seconds on any machine.
    job = failed(own, fresh(pdfs.slow(8)), profile="ocr_only", max_num_pages=8, document_timeout=1)
    assert (job["error_code"], job["attempt"]) == ("CONVERSION_TIMEOUT", 1)
    assert [warning["code"] for warning in job["warnings"]] == ["BASIC_SCANNER"]


def test_a_memory_bomb_ends_alone(own: Refinery) -> None:
    workers = [process.pid for process in own.workers]
    job = failed(own, fresh(pdfs.memory_bomb()), document_timeout=50)
    assert job["error_code"] == "OUT_OF_MEMORY"
    assert [process.pid for process in own.workers] == workers


def test_malware_is_quarantined_and_can_be_scanned_again(own: Refinery) -> None:
    uploaded = own.client.submit(fresh(pdfs.eicar_pdf()))
    document, job_id = f"/v1/documents/{uploaded['id']}/", uploaded["job_id"]
    for attempt in (1, 2):
        job = own.client.finished(job_id)
        assert (job["status"], job["error_code"], job["attempt"]) == ("QUARANTINED", "MALWARE_DETECTED", attempt)
        assert own.client.artifacts(job_id) == []
        assert own.client.get(document).json()["status"] == "QUARANTINED"
        refused = own.client.get(f"{document}file/")
        assert (refused.status_code, refused.json()["error_code"]) == (409, "DOCUMENT_QUARANTINED")
        # The bytes are kept for a retry, and for nothing else.
        assert len(own.blobs(uploaded["uuid"])) == 1
        if attempt == 1:
            assert own.client.post(f"/v1/jobs/{job_id}/retry/").status_code == 202
    assert own.client.delete(document).status_code == 204


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\boot.pdf", "boot.pdf"),
        ("Ünï\u202ecödé " + "長" * 240 + ".pdf", "Ünïcödé " + "長" * 188 + ".pdf"),
        ("....pdf", "pdf"),
    ],
)
def test_a_file_name_stays_a_name(own: Refinery, name: str, kept: str) -> None:
    uploaded = own.client.submit(fresh(pdfs.born_digital()), name)
    assert uploaded["original_filename"] == kept
    own.assert_one_set(uploaded["job_id"])
    names = {artifact["kind"]: artifact["filename"] for artifact in own.client.artifacts(uploaded["job_id"])}
    assert names["markdown"] == kept.removesuffix(".pdf") + ".md"
    assert own.blobs("passwd") + own.blobs("boot") + own.blobs("長") == []
