"""Both clients against the service as it is."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from docrefinery.api import views
from docrefinery.bootstrap.operator import operator
from docrefinery.client import (
    Conflict,
    DuplicateDocument,
    InvalidRequest,
    Job,
    JobFailed,
    MissingArtifacts,
    NotAuthorized,
    NotFound,
    Patience,
    WaitTimeout,
    resources,
)
from docrefinery.model import JOB_QUEUES, Stage
from docrefinery.settings import Settings
from docrefinery.store import claims
from docrefinery.store.database import Database
from tests.support.calls import a_pdf
from tests.support.clients import KINDS, Shell
from tests.support.server import Serving, serving_beside
from tests.support.waiting import until, until_true
from tests.support.work import LEASE, RESULTS, HandWorker


async def test_the_guides_flow(shell: Shell, worker: HandWorker, tmp_path: Path) -> None:
    path, external = tmp_path / "report.pdf", uuid4()
    path.write_bytes(a_pdf())
    document = await shell.do(
        "upload", path, profile="fast_text", options={"max_num_pages": 50}, external_uuid=external
    )
    assert (document.original_filename, document.status, document.external_uuid) == (
        "report.pdf",
        "PROCESSING",
        external,
    )
    await worker.publish(await worker.claim())
    job = await shell.do("wait", document.job_id)
    assert (job.succeeded, job.profile, job.options["max_num_pages"], job.external_uuid) == (
        True,
        "fast_text",
        50,
        external,
    )
    artifacts = await shell.all("artifacts", job_id=job.id, kind=["markdown", "docling_json"])
    assert {artifact.kind for artifact in artifacts} == set(RESULTS)
    (tmp_path / "results").mkdir()
    for artifact in artifacts:
        saved = await shell.do("download", artifact, tmp_path / "results")
        assert saved == tmp_path / "results" / f"report.{artifact.kind}"
        assert saved.read_bytes() == RESULTS[artifact.kind] == await shell.do("read", artifact)
    file = await shell.do("document", document.uuid)
    assert await shell.do("read", file) == path.read_bytes()
    assert [each.id for each in await shell.all("documents", sha256=document.sha256, status="READY")] == [document.id]
    await shell.do("delete_document", document.id)
    assert await shell.all("artifacts", job_id=job.id) == []
    with pytest.raises(NotFound) as caught:
        await shell.do("document", document.id)
    assert (caught.value.status, caught.value.error_code, len(caught.value.request_id)) == (404, "NOT_FOUND", 32)


async def test_waiting_is_told_of_stages_and_pages_as_they_come(shell: Shell, worker: HandWorker) -> None:
    document, told = await shell.do("upload", a_pdf()), list[Job]()
    waiting = asyncio.create_task(shell.do("wait", document.job_id, progress=told.append))
    await until(lambda: told)
    claim = await worker.claim()
    await claims.enter_stage(worker.db, claim, Stage.CONVERTING, scan_ms=1)
    await until(lambda: told[-1].stage == "CONVERTING")
    await worker.beat(claim, pages_done=2, pages_total=5)
    await until(lambda: told[-1].pages_done == 2)
    await worker.fail(claim)
    job = await waiting
    assert (job.status, job.error_code, job.finished, job.succeeded) == ("FAILED", "CONVERSION_FAILED", True, False)
    assert (told[0].status, told[0].pages_total, told[-2].pages_total, told[-1]) == ("QUEUED", None, 5, job)


async def test_waiting_ends_in_time_and_the_job_goes_on(shell: Shell) -> None:
    document = await shell.do("upload", a_pdf())
    with pytest.raises(WaitTimeout) as caught:
        await shell.do("wait", document.job_id, timeout=0.2)
    assert caught.value.job.status == "QUEUED"
    canceled = await shell.do("cancel", document.job_id)
    assert (canceled.status, (await shell.do("wait", document.job_id)).status) == ("CANCELED", "CANCELED")
    with pytest.raises(Conflict):
        await shell.do("retry", document.job_id)


@pytest.mark.parametrize("kind", KINDS)
async def test_waiting_outlives_a_service_that_is_started_anew(
    kind: str, settings: Settings, key: str, worker: HandWorker
) -> None:
    async with serving_beside(settings) as served:
        shell, port = (
            Shell.of(kind, served.url, key, patience=Patience(unreachable=60)),
            int(served.url.rpartition(":")[2]),
        )
        document = await shell.do("upload", a_pdf())
        waiting = asyncio.create_task(shell.do("wait", document.job_id))
        await until(lambda: served.waiting(document.job_id))
    await worker.publish(await worker.claim())
    async with serving_beside(settings, port):
        assert (await waiting).succeeded
        await shell.close()


async def test_a_duplicate_names_what_is_there_and_what_is_asked_is_found(shell: Shell, worker: HandWorker) -> None:
    pdf = a_pdf()
    document = await shell.do("upload", pdf, profile="fast_text")
    with pytest.raises(DuplicateDocument) as caught:
        await shell.do("upload", pdf)
    existing = caught.value.existing
    assert (existing.document_id, existing.uuid, existing.job_id) == (document.id, document.uuid, document.job_id)
    assert (await shell.do("process", document.id, profile="fast_text")).id == document.job_id
    other = await shell.do("process", document.id, profile="structured")
    assert (other.id != document.job_id, other.profile) == (True, "structured")
    await worker.fail(await worker.claim())
    again = await shell.do("process", document.id, profile="fast_text")
    assert (again.id, again.attempt, again.status) == (document.job_id, 2, "QUEUED")
    ranged = await shell.do("process", document.id, options={"page_range": [1, 2], "future": {"a": 1}})
    assert ranged.id not in (document.job_id, other.id)
    assert (await shell.do("process", document.id, options={"page_range": [1, 2], "future": {"a": 1}})).id == ranged.id
    assert (await shell.do("submit", document.id, profile="fast_text")).id not in (document.job_id, other.id, ranged.id)
    jobs = await shell.all("jobs", document_id=document.id, page_size=1)
    assert [job.id for job in jobs] == sorted((job.id for job in jobs), reverse=True)
    assert len(jobs) == 4


async def test_a_job_is_only_taken_for_what_is_asked_if_it_was_asked_for_the_same(
    shell: Shell, worker: HandWorker
) -> None:
    document = await shell.do("upload", a_pdf(), profile="fast_text")
    await worker.publish(await worker.claim())
    asked: list[dict[str, Any]] = [
        {},
        {"profile": "structured"},
        {"options": {"exports": ["chunks_json"]}},
        {"options": {"exports": ["figures_zip"], "ocr": True}},
        {"options": {"ocr": False}},
        {"options": {"max_num_pages": 1}},
        {"options": {"max_file_size": 1}},
        {"options": {"future": 1}},
    ]
    made = []
    for each in asked:
        made.append((await shell.do("process", document.id, **each)).id)
        await worker.publish(await worker.claim())
    assert len({document.job_id, *made}) == len(asked) + 1
    plain, *others = [(await shell.do("process", document.id, **each)).id for each in asked]
    # What succeeded within a limit would have come of it without one.
    assert (plain, others) == (made[6], made[1:])
    # What the service makes of them is the same.
    for each, same in (
        ({"options": {"exports": ["text", "markdown", "doctags", "docling_json"]}}, plain),
        ({"options": {"do_table_structure": True, "ocr": None}}, plain),
        ({"profile": "fast_text", "options": {"exports": ["chunks_json"]}}, document.job_id),
    ):
        assert (await shell.do("process", document.id, **each)).id == same
    with pytest.raises(InvalidRequest, match="/options_json/max_num_pages"):
        await shell.do("process", document.id, options={"max_num_pages": -1})
    with pytest.raises(InvalidRequest, match="nonsense"):
        await shell.do("process", document.id, options={"exports": ["nonsense"]})


async def test_defaults_of_the_tenant_are_part_of_what_is_asked_and_limits_that_it_has_now_are_not(
    shell: Shell, worker: HandWorker, settings: Settings
) -> None:
    document = await shell.do("upload", a_pdf())
    await worker.publish(await worker.claim())

    async def set_to(text: str) -> None:
        async with operator(settings) as services:
            await services.tenants.set("acme", option_text=text)

        async def known() -> bool:
            options = (await shell.do("plan")).options
            return bool(options == options | msgspec.json.decode(text))

        await until_true(known)

    await set_to('{"max_num_pages": 9}')
    assert (await shell.do("process", document.id)).id == document.job_id
    await set_to('{"exports": ["chunks_json"]}')
    other = await shell.do("process", document.id)
    assert (other.id != document.job_id, other.exports) == (True, ["chunks_json"])
    assert (await shell.do("process", document.id)).id == other.id


async def test_kinds_that_do_not_come_of_what_is_asked_are_named_before_anything_is_sent(
    shell: Shell, worker: HandWorker, db: Database
) -> None:
    for kinds, options in ((["nope", "markdown"], {}), ("chunks_json", {"exports": ["text"]})):
        with pytest.raises(MissingArtifacts) as caught:
            await shell.do("convert", a_pdf(), kinds=kinds, options=options)
        assert caught.value.kinds == [kinds[0] if isinstance(kinds, list) else kinds]
        assert {"text", "docling_json"} <= set(caught.value.available)
        assert caught.value.kinds[0] in str(caught.value)
    assert not await db.fetch("SELECT FROM documents")
    converting = asyncio.create_task(shell.do("convert", a_pdf(), kinds=["text", "markdown"]))
    await _publish(worker)
    with pytest.raises(MissingArtifacts, match="kind text; there are: docling_json, markdown"):
        await converting


async def test_a_failure_of_the_file_itself_is_not_tried_again_and_one_of_limits_is_asked_anew(
    shell: Shell, worker: HandWorker
) -> None:
    document = await shell.do("upload", a_pdf())
    await worker.fail(await worker.claim(), "ENCRYPTED_PDF")
    job = await shell.do("process", document.id)
    assert (job.id, job.status, job.attempt) == (document.job_id, "FAILED", 1)
    other = await shell.do("upload", a_pdf())
    await worker.fail(await worker.claim(), "PAGE_LIMIT_EXCEEDED")
    job = await shell.do("process", other.id, options={"max_num_pages": 0})
    assert (job.id != other.job_id, job.status) == (True, "QUEUED")


async def test_converting_is_one_call_and_asks_for_nothing_twice(
    shell: Shell, worker: HandWorker, db: Database
) -> None:
    pdf = a_pdf()
    first = asyncio.create_task(shell.do("convert", pdf, name="x.pdf", profile="fast_text"))
    await _publish(worker)
    assert await first == RESULTS
    assert await shell.do("convert", pdf, kinds="markdown", profile="fast_text") == {"markdown": RESULTS["markdown"]}
    assert len(await db.fetch("SELECT FROM jobs")) == 1
    failing = asyncio.create_task(shell.do("convert", a_pdf()))
    await _publish(worker, fails=True)
    with pytest.raises(JobFailed, match="CONVERSION_FAILED") as caught:
        await failing
    assert caught.value.job.error_code == "CONVERSION_FAILED"


async def _publish(worker: HandWorker, *, fails: bool = False) -> None:
    async def done() -> bool:
        claim = await claims.claim(worker.db, JOB_QUEUES, worker.id, LEASE)
        return claim is not None and await (worker.fail(claim) if fails else worker.publish(claim))

    await until_true(done)


async def test_refusals_say_what_is_wrong(shell: Shell, served: Serving) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await shell.do("upload", a_pdf(), options={"max_num_pages": -1})
    assert caught.value.error_code == "INVALID_OPTIONS"
    assert [field.pointer for field in caught.value.problem.errors] == ["/options_json/max_num_pages"]
    with pytest.raises(InvalidRequest, match="UNSUPPORTED_MEDIA_TYPE"):
        await shell.do("upload", b"no pdf")
    stranger = Shell.of("sync", served.url)
    with pytest.raises(NotAuthorized, match="UNAUTHENTICATED"):
        await stranger.all("profiles")
    await stranger.close()


async def test_what_the_installation_can_do(shell: Shell) -> None:
    profiles = {profile.name: profile for profile in await shell.all("profiles")}
    assert profiles["fast_text"].available
    assert {"markdown", "docling_json"} <= {exporter.kind for exporter in await shell.all("exporters")}


async def test_webhook_endpoints_are_managed(shell: Shell) -> None:
    made = await shell.do("create_webhook", name="mine", url="https://93.184.216.34/hook", secret="whsec_c2VjcmV0")
    assert (made.enabled, made.has_secret, made.events) == (True, True, ["job.updated"])
    changed = await shell.do("change_webhook", made.id, enabled=False, secret=None)
    assert (changed.enabled, changed.has_secret, changed.url) == (False, False, made.url)
    assert await shell.do("webhook", made.uuid) == changed
    assert await shell.all("webhooks") == [changed]
    ping = await shell.do("ping_webhook", made.id)
    assert ping.event == "ping"
    assert [each.uuid for each in await shell.all("deliveries", made.id, status=["PENDING", "FAILED"])] == [ping.uuid]
    assert (await shell.do("redeliver", made.id, ping.uuid)).uuid == ping.uuid
    await shell.do("delete_webhook", made.id)
    assert await shell.all("webhooks") == []


def test_structs_have_every_field_of_the_services_views() -> None:
    for name, view in {
        "Document": views.DocumentView,
        "Job": views.JobView,
        "Artifact": views.ArtifactView,
        "Webhook": views.WebhookView,
        "Delivery": views.DeliveryView,
        "Plan": views.PlanView,
        "Profile": views.ProfileView,
        "Exporter": views.ExporterView,
    }.items():
        ours: type[msgspec.Struct] = getattr(resources, name)
        assert set(view.__struct_fields__) - set(ours.__struct_fields__) <= {"document_id"}, name
