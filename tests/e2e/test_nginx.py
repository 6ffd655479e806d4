"""A real nginx in front, configured as docs/operations.md says: it sends the bytes, and clients see no difference."""

import hashlib
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.e2e.conftest import Start
from tests.support.packages import require_package
from tests.support.pdfs import born_digital, eicar_pdf
from tests.support.processes import wait_until
from tests.support.refinery import Client, Json, Refinery, fresh

ROOT = Path(__file__).parents[2]
OPERATIONS, COMPOSED = ROOT / "docs/operations.md", ROOT / "deploy/compose/nginx.conf"
SAME_HEADERS = (
    "Content-Type",
    "ETag",
    "Accept-Ranges",
    "Content-Disposition",
    "X-Content-Type-Options",
    "Cache-Control",
    "Content-Length",
    "Content-Range",
)
MAIN = """
{user}
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
    types {{ text/html html; application/octet-stream md txt pdf json zip; }}
    access_log {home}/access.log;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
{site}
}}
"""


def documented(port: int, api: str, blobs: Path) -> str:
    """Return the documented configuration for the addresses and folder of a test."""
    (text,) = re.findall(r"^```nginx\n(.*?)^```", OPERATIONS.read_text(), re.MULTILINE | re.DOTALL)
    return placed(text, {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:8000": api}, blobs)


def composed(port: int, api: str, blobs: Path) -> str:
    """Return the composition's configuration likewise."""
    changes = {"listen 8080;": f"listen 127.0.0.1:{port};", "api:8000": api}
    return placed(COMPOSED.read_text(), changes, blobs)


def placed(text: str, changes: dict[str, str], blobs: Path) -> str:
    """Return a configuration with what is different here."""
    for there, here in {**changes, "/var/lib/docrefinery/blobs/": f"{blobs}/"}.items():
        assert text.count(there) == 1, there
        text = text.replace(there, here)
    return text


class Front(NamedTuple):
    """nginx, the API behind it, and the API without it."""

    own: Refinery
    through: Client
    access_log: Path


@contextmanager
def nginx(home: Path, own: Refinery, site: Callable[[int, str, Path], str]) -> Iterator[Front]:
    """Run nginx in front of an API that hands downloads over to it."""
    program = require_package("nginx", "nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # The tests' folders are closed to the user that nginx would change to.
    user = "user root;" if home.owner() == "root" else ""
    configuration = site(port, own.url.removeprefix("http://"), own.data_dir / "blobs")
    home.joinpath("nginx.conf").write_text(MAIN.format(home=home, user=user, site=configuration))
    running = subprocess.Popen(
        [program, "-c", str(home / "nginx.conf"), "-e", str(home / "error.log"), "-p", str(home)]
    )

    def answers() -> bool:
        assert running.poll() is None, home.joinpath("error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, 10, "nginx listens")
        with Client(f"http://127.0.0.1:{port}", own.key) as through:
            yield Front(own, through, home / "access.log")
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture(scope="module")
def front(make_shared: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Run nginx as the documentation says."""
    own = make_shared("nginx", DOCREFINERY_X_ACCEL_PREFIX="/protected/").start()
    with nginx(tmp_path_factory.mktemp("front"), own, documented) as front:
        yield front


@pytest.fixture(scope="module")
def artifact(front: Front) -> Json:
    """A text artifact of a document with a name that headers have to quote."""
    name = 'Prüf "bericht" 100%.pdf'
    job_id = front.through.submit(fresh(born_digital(3)), name)["job_id"]
    front.through.assert_converted(job_id)
    (text,) = [artifact for artifact in front.through.artifacts(job_id) if artifact["kind"] == "text"]
    return text


@pytest.fixture(scope="module")
def plain(front: Front, make_shared: Start, artifact: Json) -> httpx.Response:
    """The same download from an API without nginx."""
    whole = front.through.get(f"/v1/artifacts/{artifact['id']}/")
    unfronted = make_shared("unfronted").start()
    document = front.through.get(f"/v1/documents/{artifact['document_id']}/file/").content
    job_id = unfronted.client.submit(document, 'Prüf "bericht" 100%.pdf')["job_id"]
    unfronted.client.assert_converted(job_id)
    (same,) = [found for found in unfronted.client.artifacts(job_id) if found["kind"] == "text"]
    assert same["sha256"] == artifact["sha256"] == hashlib.sha256(whole.content).hexdigest()
    return unfronted.client.get(f"/v1/artifacts/{same['id']}/")


def shown(answer: httpx.Response) -> dict[str, str | None]:
    """Return what a client sees of the headers; none may come twice."""
    assert [name for name in SAME_HEADERS if len(answer.headers.get_list(name)) > 1] == []
    assert "X-Accel-Redirect" not in answer.headers
    return {name: answer.headers.get(name) for name in SAME_HEADERS}


def test_nginx_sends_the_same_bytes_and_headers(front: Front, artifact: Json, plain: httpx.Response) -> None:
    answer = front.through.get(f"/v1/artifacts/{artifact['id']}/")
    assert (answer.status_code, answer.content) == (200, plain.content)
    assert shown(answer) == shown(plain)
    assert answer.headers["ETag"] == f'"{artifact["sha256"]}"'
    assert answer.headers["Server"].startswith("nginx")
    direct = front.own.client.get(f"/v1/artifacts/{artifact['id']}/")
    assert (direct.content, direct.headers["X-Accel-Redirect"][:11]) == (b"", "/protected/")


def test_head_has_the_headers_and_no_body(front: Front, artifact: Json, plain: httpx.Response) -> None:
    answer = front.through.head(f"/v1/artifacts/{artifact['id']}/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert shown(answer) == shown(plain)


@pytest.mark.parametrize(
    ("asked", "part"), [("bytes=0-9", slice(0, 10)), ("bytes=5-", slice(5, None)), ("bytes=-7", slice(-7, None))]
)
def test_ranges_are_parts_of_the_same_bytes(
    front: Front, artifact: Json, plain: httpx.Response, asked: str, part: slice
) -> None:
    answer = front.through.get(f"/v1/artifacts/{artifact['id']}/", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, plain.content[part])
    start, end, _ = part.indices(len(plain.content))
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(plain.content)}"
    assert shown(answer)["ETag"] == plain.headers["ETag"]


def test_a_range_outside_the_file_is_refused(front: Front, artifact: Json) -> None:
    answer = front.through.get(f"/v1/artifacts/{artifact['id']}/", headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416


def test_if_range_with_the_tag_gives_the_part_and_with_another_the_whole(
    front: Front, artifact: Json, plain: httpx.Response
) -> None:
    path, wanted = f"/v1/artifacts/{artifact['id']}/", {"Range": "bytes=2-5"}
    part = front.through.get(path, headers=wanted | {"If-Range": plain.headers["ETag"]})
    assert (part.status_code, part.content) == (206, plain.content[2:6])
    whole = front.through.get(path, headers=wanted | {"If-Range": '"changed"'})
    assert (whole.status_code, whole.content) == (200, plain.content)
    assert shown(whole) == shown(plain)


def test_a_client_that_has_it_gets_no_bytes(front: Front, artifact: Json, plain: httpx.Response) -> None:
    answer = front.through.get(
        f"/v1/artifacts/{artifact['id']}/", headers={"If-None-Match": f'W/"x", {plain.headers["ETag"]}'}
    )
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == plain.headers["ETag"]
    other = front.through.get(f"/v1/artifacts/{artifact['id']}/", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_the_pdf_itself_comes_the_same_way(front: Front) -> None:
    content = fresh(born_digital())
    uploaded = front.through.submit(content)
    answer = front.through.get(f"/v1/documents/{uploaded['id']}/file/")
    assert (answer.content, answer.headers["Content-Type"]) == (content, "application/pdf")
    assert answer.headers["ETag"] == f'"{uploaded["sha256"]}"'


def test_the_storage_cannot_be_reached_around_the_service(front: Front, artifact: Json) -> None:
    direct = front.own.client.get(f"/v1/artifacts/{artifact['id']}/").headers["X-Accel-Redirect"]
    for path in (direct, "/protected/", direct.replace("/protected", "/protected/."), "/x/.." + direct):
        answer = front.through.get(path)
        assert answer.status_code == 404, path
        assert b"Page 1" not in answer.content
    sly = front.through.get("/v1/documents/", headers={"X-Accel-Redirect": direct})
    assert sly.json()["results"] is not None


def test_a_quarantined_file_is_not_handed_over(front: Front) -> None:
    uploaded = front.through.submit(fresh(eicar_pdf()))
    assert front.through.finished(uploaded["job_id"])["status"] == "QUARANTINED"
    answer = front.through.get(f"/v1/documents/{uploaded['id']}/file/")
    assert (answer.status_code, answer.json()["error_code"]) == (409, "DOCUMENT_QUARANTINED")
    assert "X-Accel-Redirect" not in answer.headers


def test_without_a_key_nothing_is_handed_over(front: Front, artifact: Json) -> None:
    answer = httpx.get(front.through.base_url.join(f"/v1/artifacts/{artifact['id']}/"), trust_env=False)
    assert answer.status_code == 401
    assert "X-Accel-Redirect" not in answer.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/metrics/"])
def test_health_and_figures_are_for_inside(front: Front, path: str) -> None:
    assert front.through.get(path).status_code == 403
    assert front.own.client.get(path).status_code == 200


def test_an_encrypted_tenants_files_come_through_the_service(front: Front) -> None:
    name = "sealed"
    said = front.own.command("tenant", "create", name, "--encrypt")
    assert said.returncode == 0, said
    key = json.loads(front.own.command("key", "create", "--tenant", name, "--scope", "all", "--json").stdout)["key"]
    content = fresh(born_digital(3))
    with Client(str(front.through.base_url), key) as through, Client(front.own.url, key) as direct:
        uploaded = through.submit(content)
        through.assert_converted(uploaded["job_id"])
        paths = [f"/v1/documents/{uploaded['id']}/file/"]
        paths += [f"/v1/artifacts/{artifact['id']}/" for artifact in through.artifacts(uploaded["job_id"])]
        for path in paths:
            ours, theirs = direct.get(path), through.get(path)
            assert ours.content == theirs.content != b""
            assert shown(ours) == shown(theirs)
            part = through.get(path, headers={"Range": "bytes=3-9"})
            assert (part.status_code, part.content) == (206, ours.content[3:10])
        assert through.get(paths[0]).content == content


def test_the_compositions_nginx_does_the_same(front: Front, artifact: Json, tmp_path: Path) -> None:
    path = f"/v1/artifacts/{artifact['id']}/"
    with nginx(tmp_path, front.own, composed) as other:
        answer = other.through.get(path)
        assert (answer.status_code, answer.content) == (200, front.through.get(path).content)
        assert shown(answer) == shown(front.through.get(path))
        part = other.through.get(path, headers={"Range": "bytes=3-9"})
        assert (part.status_code, part.content) == (206, answer.content[3:10])
        content = fresh(born_digital())
        uploaded = other.through.submit(content)
        assert other.through.get(f"/v1/documents/{uploaded['id']}/file/").content == content
        assert other.through.get("/metrics").status_code == 403
        assert other.through.get(front.own.client.get(path).headers["X-Accel-Redirect"]).status_code == 404
