"""What a tenant may upload and convert, where the operator has set limits of its own."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.errors import InvalidRequest
from docrefinery.settings import Settings
from docrefinery.store.database import Database
from docrefinery.store.tenants import Limits
from tests.support.api import running
from tests.support.calls import assert_nothing_left, assert_problem, queued, upload
from tests.support.waiting import until_true

MEBI = 1024 * 1024


@pytest.fixture
async def services(settings: Settings, client: httpx.AsyncClient) -> AsyncIterator[Operator]:
    """The operator's services, after the tenant ``acme`` was made."""
    async with operator(settings) as services:
        yield services


def pdf_of(size: int) -> bytes:
    return b"%PDF-1.7\n".ljust(size, b"x")


async def test_the_smaller_limit_of_an_upload_holds(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, services: Operator, db: Database, settings: Settings
) -> None:
    await services.tenants.set("acme", limits=Limits(max_upload_mb=1))

    async def refused() -> bool:
        return (await upload(client, pdf_of(MEBI + 1))).status_code == 413

    await until_true(refused, 2)
    problem = assert_problem(await upload(client, pdf_of(MEBI + 1)), 413, "FILE_TOO_LARGE")
    assert problem["limit_bytes"] == MEBI
    assert "1 MiB, which is the most your tenant may upload" in problem["detail"]
    assert (await upload(client, pdf_of(MEBI))).status_code == 201
    assert (await upload(stranger, pdf_of(MEBI + 1))).status_code == 201


async def test_a_tenants_limit_does_not_lift_the_installations(settings: Settings) -> None:
    small = msgspec.structs.replace(settings, upload_max_size_mb=1)
    async with running(small) as api, await api.client() as client, operator(small) as services:
        await services.tenants.set("acme", limits=Limits(max_upload_mb=5))
        problem = assert_problem(await upload(client, pdf_of(MEBI + 1)), 413, "FILE_TOO_LARGE")
        assert "this service takes" in problem["detail"]
        assert problem["limit_bytes"] == MEBI


async def test_a_large_upload_is_refused_as_it_arrives(
    client: httpx.AsyncClient, services: Operator, db: Database, settings: Settings
) -> None:
    """Without a declared length nothing but the counting can stop it."""
    await services.tenants.set("acme", limits=Limits(max_upload_mb=1))
    client.headers["Authorization"] = f"Api-Key {(await services.tenants.issue_key('acme', ['documents:write'])).key}"
    head = '--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7\n'
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield head.encode()
        while sent < 40 * MEBI:
            sent += MEBI // 4
            yield b"x" * (MEBI // 4)

    headers = {"Content-Type": "multipart/form-data; boundary=frontier"}
    answer = await client.post("/v1/documents/", content=body(), headers=headers)
    assert_problem(answer, 413, "FILE_TOO_LARGE")
    # The answer is sent at once; the server reads on for 8 MiB so that the client sees it.
    assert sent < 12 * MEBI
    await assert_nothing_left(db, settings)


@pytest.mark.parametrize(
    ("asked", "installation", "tenant", "expected"),
    [(None, 0, 7, 7), (0, 0, 7, 7), (5, 0, 7, 5), (9, 0, 7, 7), (9, 6, 7, 6), (9, 8, 7, 7), (9, 0, 0, 9), (0, 0, 0, 0)],
)
async def test_pages_are_capped_by_the_smallest_limit(
    settings: Settings, asked: int | None, installation: int, tenant: int, expected: int
) -> None:
    chosen = msgspec.structs.replace(settings, max_pages_limit=installation)
    async with running(chosen) as api, await api.client() as client, operator(chosen) as services:
        await services.tenants.set("acme", limits=Limits(max_pages=tenant))
        options = "{}" if asked is None else f'{{"max_num_pages": {asked}}}'
        job = await queued(client, options_json=options)
        assert job["options"]["max_num_pages"] == expected


async def test_zero_removes_a_limit_and_silence_keeps_it(services: Operator) -> None:
    await services.tenants.set("acme", limits=Limits(max_upload_mb=1, max_pages=2, max_running_jobs=3))
    kept = await services.tenants.set("acme", limits=Limits(max_pages=0))
    assert (kept.max_upload_mb, kept.max_pages, kept.max_running_jobs) == (1, None, 3)
    [listed] = await services.tenants.list()
    assert listed == kept


@pytest.mark.parametrize("value", [-1, 2**31, 2**70])
@pytest.mark.parametrize("name", Limits.__struct_fields__)
async def test_a_limit_that_is_none_is_refused(services: Operator, name: str, value: int) -> None:
    with pytest.raises(InvalidRequest, match=f"`{name}` is {value}: use 1 to"):
        await services.tenants.set("acme", limits=Limits(**{name: value}))
