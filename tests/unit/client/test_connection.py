"""Where the service is, and the key to it."""

import logging

import httpx
import pytest

from docrefinery.client import AsyncClient, Client, ConfigurationError
from docrefinery.client.connection import connection
from tests.support.clients import KEY, KINDS, Shell


@pytest.mark.parametrize(
    "url", ["https://r.example", "https://r.example/", "https://r.example/v1", "https://r.example/v1/"]
)
def test_the_guides_base_url_and_the_plain_one_are_the_same(url: str) -> None:
    assert connection(url, KEY, {}).base_url == "https://r.example"
    assert (
        connection(None, None, {"DOCREFINERY_SERVER": url, "DOCREFINERY_API_KEY": KEY}).base_url == "https://r.example"
    )


@pytest.mark.parametrize(
    "url", ["", "r.example", "ftp://r.example", "https://user:pass@r.example", "https://r.example/?a=b", "https://[x"]
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        connection(url, KEY, {"DOCREFINERY_SERVER": "https://r.example"})


@pytest.mark.parametrize("key", ["", "  ", "dr_a\nb", "dr_é", "two words"])
def test_what_is_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connection("https://r.example", key, {"DOCREFINERY_API_KEY": KEY})
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_key_is_in_no_repr_no_error_and_no_log(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shell = Shell.of(kind, "https://r.example", handler=lambda _: httpx.Response(401, json={"detail": "no"}))
    with pytest.raises(Exception, match="401") as caught:
        await shell.do("job", 1)
    assert KEY not in repr(shell.client) + str(caught.value) + repr(caught.value) + caplog.text
    assert KEY not in repr(connection("https://r.example", KEY, {}))
    assert caplog.text
    await shell.close()


def closed(client: Client | AsyncClient) -> bool:
    return client._http.is_closed


async def test_they_are_context_managers() -> None:
    with Client("https://r.example", api_key=KEY) as client:
        assert not closed(client)
    async with AsyncClient("https://r.example", api_key=KEY) as other:
        assert not closed(other)
    assert closed(client)
    assert closed(other)
