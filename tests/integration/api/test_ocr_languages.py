"""OCR languages at submission, and what profiles lack here: the workers' word counts."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from docrefinery.capabilities import Ocr
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.alive import say_alive
from tests.support.api import running
from tests.support.calls import assert_problem, pointers, queued, results, upload, uploaded

EUROPEAN = Ocr("tesseract", "5.3.0", ("deu", "eng", "osd"))
FRENCH = Ocr("tesseract", "5.3.0", ("eng", "fra", "osd"))


def asking(*languages: str, **more: Any) -> str:
    return json.dumps({"ocr_languages": languages, **more})


async def test_a_language_that_the_worker_lacks_is_refused_and_those_there_are_named(
    client: httpx.AsyncClient, db: Database
) -> None:
    await say_alive(db, ocr=EUROPEAN)
    refused = await upload(client, ingest="true", options_json=asking("de", "fr", "auto", "xx-nonsense"))
    body = assert_problem(refused, 400, "INVALID_OPTIONS")
    assert pointers(body) == ["/options_json/ocr_languages/1", "/options_json/ocr_languages/3"]
    assert "auto, deu, eng" in body["errors"][0]["detail"]
    document = await uploaded(client)
    again = await client.post(
        "/v1/jobs/", json={"document_id": document["id"], "options_json": json.loads(asking("fr"))}
    )
    assert_problem(again, 400, "INVALID_OPTIONS")


async def test_languages_are_named_together_with_whatever_else_is_wrong(
    client: httpx.AsyncClient, db: Database
) -> None:
    await say_alive(db, ocr=EUROPEAN)
    refused = await upload(client, ingest="true", options_json=asking("de", "fr", images_scale=9))
    assert pointers(assert_problem(refused, 400, "INVALID_OPTIONS")) == [
        "/options_json/images_scale",
        "/options_json/ocr_languages/1",
    ]
    for odd in ("fr", [["fr"]], {"fr": 1}):
        refused = await upload(client, ingest="true", options_json=json.dumps({"ocr_languages": odd}))
        assert_problem(refused, 400, "INVALID_OPTIONS")


@pytest.mark.parametrize("languages", [["auto"], ["en"], ["eng", "de-AT"], ["ger"]])
async def test_languages_that_the_worker_has_are_taken_in_every_spelling(
    client: httpx.AsyncClient, db: Database, languages: list[str]
) -> None:
    await say_alive(db, ocr=EUROPEAN)
    job = await queued(client, options_json=asking(*languages, ocr=True))
    assert job["options"]["ocr_languages"] == languages
    assert job["options"]["ocr_options"] == {"lang": languages}
    assert (job["options"]["ocr"], job["options"]["do_ocr"]) == (True, True)
    assert job["ignored_options"] == {}


async def test_only_what_every_worker_has_is_promised(client: httpx.AsyncClient, db: Database) -> None:
    await say_alive(db, ocr=EUROPEAN)
    await say_alive(db, ocr=FRENCH)
    for language in ("de", "fr"):
        refused = await upload(client, ingest="true", options_json=asking(language))
        assert "auto, eng" in assert_problem(refused, 400, "INVALID_OPTIONS")["errors"][0]["detail"]
    await queued(client, options_json=asking("en"))


async def test_the_profiles_say_what_the_workers_lack(client: httpx.AsyncClient, db: Database) -> None:
    await say_alive(db, ocr=None)
    profiles = {profile["name"]: profile for profile in await results(client, "/v1/profiles/")}
    assert (profiles["fast_text"]["available"], profiles["fast_text"]["missing"]) == (True, [])
    assert profiles["ocr_only"]["available"] is False
    assert "an OCR engine" in profiles["ocr_only"]["missing"][0]
    assert len(profiles["full_vlm"]["missing"]) == 4


async def test_the_guides_profiles_are_there_with_their_options_and_exports(
    client: httpx.AsyncClient, db: Database
) -> None:
    await say_alive(db, ocr=EUROPEAN)
    profiles = {profile["name"]: profile for profile in await results(client, "/v1/profiles/")}
    off = {"do_table_structure": False, "do_picture_description": False, "do_picture_classification": False}
    assert {name: profile["options"] for name, profile in profiles.items()} == {
        "fast_text": {"do_ocr": False, **off},
        "ocr_only": {"do_ocr": True, "ocr_options": {"lang": ["auto"]}, "force_full_page_ocr": True, **off},
        "structured": {"do_ocr": True, "do_table_structure": True, "generate_parsed_pages": True},
        "full_vlm": {
            "do_ocr": True,
            "do_table_structure": True,
            "do_picture_description": True,
            "do_picture_classification": True,
            "generate_picture_images": True,
            "images_scale": 2.0,
        },
    }
    texts = ["text", "markdown", "doctags"]
    assert {name: profile["exports"] for name, profile in profiles.items()} == {
        "fast_text": texts,
        "ocr_only": texts,
        "structured": [*texts, "chunks_json"],
        "full_vlm": [*texts, "chunks_json", "figures_zip"],
    }
    assert [name for name, profile in profiles.items() if profile["available"]] == ["fast_text", "ocr_only"]


async def test_an_installation_that_insists_on_models_says_that_they_are_missing(settings: Settings) -> None:
    insisting = msgspec.structs.replace(settings, engine="docling", picture_description_url="http://127.0.0.1:9/v1")
    async with running(insisting) as api, await api.client() as client:
        profiles = {profile["name"]: profile for profile in await results(client, "/v1/profiles/")}
        ready = (await client.get("/readyz")).json()
    assert profiles["fast_text"]["engine"] == "geometric"
    assert profiles["structured"]["engine"] == "docling"
    assert profiles["structured"]["missing"][0].startswith("Docling's layout and table models (")
    assert not any("description" in lack for lack in profiles["full_vlm"]["missing"])
    assert "structured lacks Docling's layout and table models" in ready["checks"]["models"]["detail"]
