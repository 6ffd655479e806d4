"""The console as the API serves it: what is there, under which headers, and to whom."""

import re
import zipfile
from pathlib import Path

import httpx
import pytest

from docrefinery.api.console.assets import FOLDER, build
from docrefinery.model import Scope
from tests.support.api import Api

SOURCES = [path for path in sorted(FOLDER.rglob("*")) if path.is_file() and "vendor" not in path.parts]
# Ways to turn text into markup or code.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|srcdoc"
    r"|\beval\(|new Function|localStorage|document\.cookie"
)


@pytest.fixture
async def anyone(api: Api) -> httpx.AsyncClient:
    """A client without a key: the files are no secret."""
    return api.anonymous()


def policy(response: httpx.Response) -> dict[str, list[str]]:
    """Return the directives of an answer's policy."""
    parts = [part.split() for part in response.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in parts}


async def test_the_page_runs_nothing_but_its_own_files(anyone: httpx.AsyncClient) -> None:
    page = await anyone.get("/console/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert policy(page) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-cache"
    assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?://|//", page.text)


async def test_every_file_of_the_package_is_served_and_kept(anyone: httpx.AsyncClient) -> None:
    found = build()
    page = (await anyone.get("/console/")).text
    assert set(re.findall(r'(?:href|src)="build/(\w+)/', page)) == {found.id}
    for name in found.assets:
        answer = await anyone.get(f"/console/build/{found.id}/{name}")
        assert answer.content == FOLDER.joinpath(name).read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert policy(answer)["default-src"] == ["'none'"]
    types = {name: found.assets[name].content_type for name in found.assets}
    assert types["js/main.js"] == types["vendor/pdfjs/pdf.min.mjs"] == "text/javascript; charset=utf-8"
    assert types["vendor/pdfjs/wasm/openjpeg.wasm"] == "application/wasm"


async def test_only_the_worker_that_decodes_images_may_run_webassembly(anyone: httpx.AsyncClient) -> None:
    found = build()
    able = [
        name
        for name in found.assets
        if "'wasm-unsafe-eval'" in policy(await anyone.get(f"/console/build/{found.id}/{name}")).get("script-src", [])
    ]
    assert able == ["vendor/pdfjs/pdf.worker.min.mjs"]


@pytest.mark.parametrize("path", ["/console/", "/console/build/{build}/js/main.js"])
async def test_a_browser_that_has_a_file_gets_no_bytes(anyone: httpx.AsyncClient, path: str) -> None:
    path = path.format(build=build().id)
    first = await anyone.get(path)
    again = await anyone.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = await anyone.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)
    head = await anyone.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(first.content))
    assert head.headers["content-type"] == first.headers["content-type"]


@pytest.mark.parametrize(
    "path",
    [
        "/console/nothing",
        "/console/build/",
        "/console/build/{build}/",
        "/console/build/{build}/index.html",
        "/console/build/{build}/../assets.py",
        "/console/build/{build}/%2e%2e/assets.py",
        "/console/build/{build}/js/%2e%2e%2f%2e%2e%2fassets.py",
        "/console/build/{build}//etc/passwd",
        "/console/build/0123456789abcdef/js/main.js",
    ],
)
async def test_nothing_else_is_below_it(anyone: httpx.AsyncClient, path: str) -> None:
    answer = await anyone.get(path.format(build=build().id))
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


async def test_without_its_slash_the_address_leads_to_the_page_below_any_prefix(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/console")
    assert (answer.status_code, answer.headers["location"]) == (308, "console/")


async def test_a_key_is_told_what_it_may_do(api: Api) -> None:
    async with await api.client("acme", (Scope.JOBS_READ, Scope.ARTIFACTS_READ)) as client:
        answer = await client.get("/console/key/")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told.pop("name")
    assert told == {
        "tenant": "acme",
        "scopes": ["artifacts:read", "jobs:read"],
        "upload_limit_bytes": api.settings.upload_limit,
    }
    assert (await api.anonymous().get("/console/key/")).status_code == 401


async def test_the_console_is_no_part_of_the_described_api(anyone: httpx.AsyncClient) -> None:
    assert "/console" not in (await anyone.get("/schema/openapi.json")).text


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_no_file_of_ours_turns_text_into_markup_or_reaches_out(source: Path) -> None:
    text = source.read_text()
    assert not FORBIDDEN.findall(text)
    assert not re.findall(r"""(?:import|from|url\(|src=|href=)\s*["'(]*\s*(?:https?:)?//""", text)


def test_the_wheel_brings_every_file(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder  # noqa: PLC0415 - takes a while, and nothing else here needs it

    root = Path(__file__).parents[3]
    [wheel] = WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    place = FOLDER.relative_to(root / "src").as_posix()
    assert {f"{place}/index.html", *(f"{place}/{name}" for name in build().assets)} <= names
