"""Which URLs a webhook may have."""

import asyncio
import threading
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from docrefinery.errors import InvalidWebhookUrl
from docrefinery.services.webhooks.addresses import Address, networks, permitted
from docrefinery.services.webhooks.guard import Guard, SystemResolver
from docrefinery.services.webhooks.urls import parse

PUBLIC, PRIVATE = "93.184.216.34", "10.1.2.3"


class Names:
    """A resolver that knows what the test says."""

    def __init__(self, **names: list[str]) -> None:
        self.names = names
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:  # noqa: ARG002
        """Look a name up."""
        self.asked.append(host)
        if host not in self.names:
            raise OSError("unknown")
        return [ip_address(text) for text in self.names[host]]


def a_guard(*allowed: str, **names: list[str]) -> Guard:
    return Guard(networks(allowed), Names(**names))


async def refusal(guard: Guard, url: str) -> str:
    with pytest.raises(InvalidWebhookUrl) as raised:
        await guard.check(url)
    assert [error.pointer for error in raised.value.errors] == ["/url"]
    return raised.value.message


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "https://"),
        ("example", "https://"),
        ("example.com/hook", "https://"),
        ("//example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("gopher://example.com/", "https://"),
        ("javascript:alert(1)", "https://"),
        ("http:example.com", "https://"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://:443/", "host"),
        ("https://user:password@example.com/", "credentials"),
        ("https://user@example.com/", "credentials"),
        ("https://@example.com/", "credentials"),
        ("https://example.com#@127.0.0.1/", "fragment"),
        ("https://example.com/#", "fragment"),
        ("https://example.com/a#b", "fragment"),
        ("https://example.com\\@127.0.0.1/", "backslash"),
        ("https://example.com/\\..", "backslash"),
        (" https://example.com/", "spaces"),
        ("https://example.com/a b", "spaces"),
        ("https://example.com/\n", "spaces"),
        ("https://exam\tple.com/", "spaces"),
        ("https://example.com/\x00", "spaces"),
        ("https://example.com:0/", "port"),
        ("https://example.com:22/", "port"),
        ("https://example.com:25/", "port"),
        ("https://example.com:6379/", "resolved"),
        ("https://example.com:10080/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:-1/", "port"),
        ("https://example.com:+80/", "port"),
        ("https://example.com:\uff18\uff10/", "port"),
        ("https://example.com:80:80/", "host"),
        ("https://example.com:http/", "port"),
        ("https://exa%6dple.com/", "host name"),
        ("https://example..com/", "host name"),
        ("https://-example.com/", "host name"),
        ("https://exam!ple.com/", "host name"),
        (f"https://{'a' * 64}.com/", "host name"),
        (f"https://{'a.' * 127}com/", "host name"),
        ("https://\N{SNOWMAN}\u200d.com/", "international"),
        ("https://[::1", "host"),
        ("https://::1/", "host"),
        ("https://[::g]/", "IPv6"),
        ("https://[fe80::1%25eth0]/", "zone"),
        ("https://[fe80::1%eth0]/", "zone"),
        ("https://[127.0.0.1]/", "IPv6"),
        ("https://256.256.256.256/", "IPv4"),
        ("https://1.2.3.4.5/", "IPv4"),
        ("https://0x1ffffffff/", "IPv4"),
        ("https://example.123/", "IPv4"),
        ("https://nowhere.invalid/", "resolved"),
        (f"https://example.com/{'a' * 2048}", "2048"),
    ],
)
async def test_malformed_url_is_refused_and_says_why(url: str, said: str) -> None:
    assert said in await refusal(a_guard(), url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7F.1",
        "017700000001",
        "0177.0.0.01",
        "127.0.0.1.",
        "\uff11\uff12\uff17.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::8.8.8.8]",
        "[2002:7f00:1::]",
        "[2002:0a00:0001::1]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[2001:0:7f00:1::f7f7:f7f7]",
        "168.63.129.16",
        "[2001:db8::1]",
        "[2001:10::1]",
        "[3fff::1]",
        "[fc00::1]",
        "[fd12::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[100::1]",
        "[5f00::1]",
        "[4000::1]",
    ],
)
async def test_address_that_is_not_public_is_refused_in_every_spelling(host: str) -> None:
    for url in (f"http://{host}/", f"https://{host}:8443/hook?x=1"):
        assert "not public" in await refusal(a_guard(), url)


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("0x08080808", "8.8.8.8"),
        ("134744072", "8.8.8.8"),
        ("[2606:4700::1111]", "2606:4700::1111"),
        ("[2606:4700:0:0::1111]", "2606:4700::1111"),
        ("[64:ff9b::8.8.8.8]", "64:ff9b::808:808"),
        ("[2002:0808:0808::1]", "2002:808:808::1"),
        ("[::ffff:8.8.8.8]", "::ffff:808:808"),
    ],
)
async def test_public_address_is_taken(host: str, seen: str) -> None:
    target = await a_guard().check(f"https://{host}/")
    assert ip_address(target.host) == target.address == ip_address(seen)


@pytest.mark.parametrize(
    "found",
    [[PRIVATE], [PUBLIC, PRIVATE], [PRIVATE, PUBLIC], [PUBLIC, "::1"], ["2606:4700::1111", "::ffff:10.0.0.1"]],
)
async def test_name_with_one_address_that_is_not_public_is_refused(found: list[str]) -> None:
    message = await refusal(a_guard(**{"mixed.example": found}), "https://mixed.example/")
    assert "not public" in message
    assert not any(address in message for address in found), "what names inside mean is not told"


async def test_name_without_addresses_is_refused() -> None:
    assert "resolved" in await refusal(a_guard(**{"empty.example": []}), "https://empty.example/")


async def test_name_that_nobody_answers_for_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docrefinery.services.webhooks.guard.RESOLVE_SECONDS", 0.05)

    async def never(host: str, port: int) -> Sequence[Address]:
        await asyncio.Event().wait()
        return []

    assert "resolved" in await refusal(Guard((), never), "https://slow.example/")


async def test_name_that_took_too_long_is_not_asked_for_again_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("docrefinery.services.webhooks.guard.RESOLVE_SECONDS", 0.05)
    answer, asked = threading.Event(), []

    def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        if host == "slow.example":
            answer.wait(20)
        return [(0, 0, 0, "", (PUBLIC, port))]

    monkeypatch.setattr("socket.getaddrinfo", lookup)
    guard = Guard((), SystemResolver())
    try:
        for _ in range(3):
            assert "resolved" in await refusal(guard, "https://slow.example/")
        assert (await guard.check("https://good.example/")).host == "good.example"
        assert asked == ["slow.example", "good.example"]
    finally:
        answer.set()


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path", "authority"),
    [
        ("https://example.com", "https", "example.com", 443, "/", "example.com"),
        ("HTTPS://EXAMPLE.com/", "https", "example.com", 443, "/", "example.com"),
        ("http://example.com:80/a?b=c&d", "http", "example.com", 80, "/a?b=c&d", "example.com"),
        ("https://example.com?x=1", "https", "example.com", 443, "/?x=1", "example.com"),
        ("http://example.com:8080/%7Ea/ü?ö", "http", "example.com", 8080, "/%7Ea/%C3%BC?%C3%B6", "example.com:8080"),
        ("https://my_host.example./", "https", "my_host.example", 443, "/", "my_host.example"),
        ("https://bücher.example/", "https", "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example"),
        ("https://\uff25\uff38\uff21\uff2d\uff30\uff2c\uff25.com/", "https", "example.com", 443, "/", "example.com"),
        ("https://[2606:4700::1111]:8443/x", "https", "2606:4700::1111", 8443, "/x", "[2606:4700::1111]:8443"),
        ("https://example.com:/", "https", "example.com", 443, "/", "example.com"),
    ],
)
def test_url_is_taken_apart(url: str, scheme: str, host: str, port: int, path: str, authority: str) -> None:
    target = parse(url)
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)
    assert target.authority == authority


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "0x7f.1"),
        ("127.0.0.0/8", "[::ffff:127.0.0.1]"),
        ("10.0.0.0/8", "[64:ff9b::10.0.0.1]"),
        ("::1/128", "[::1]"),
        ("fd00::/8", "[fd12::1]"),
    ],
)
async def test_operator_allows_a_network(allowed: str, host: str) -> None:
    await a_guard(allowed).check(f"http://{host}:8080/")
    await refusal(a_guard("192.168.0.0/16"), f"http://{host}:8080/")


async def test_allowed_network_opens_no_other_for_a_name_with_both() -> None:
    names = {"both.example": ["10.0.0.1", "192.168.0.1"]}
    assert "not public" in await refusal(a_guard("10.0.0.0/8", **names), "https://both.example/")
    await a_guard("10.0.0.0/8", "192.168.0.0/16", **names).check("https://both.example/")


def test_everything_outside_of_global_unicast_is_refused() -> None:
    for prefix in range(0x10000):
        address = ip_address(prefix << 112 | 0x1234)
        if not 0x2000 <= prefix <= 0x3FFF:
            assert not permitted(address, ()), address
