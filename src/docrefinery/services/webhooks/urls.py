"""Reading a webhook's URL, more strictly than browsers do: what two readers could take for two things is refused."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

import idna
from msgspec import Struct

from docrefinery.errors import FieldError, InvalidWebhookUrl
from docrefinery.services.webhooks.addresses import Address

LONGEST = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}
# https://fetch.spec.whatwg.org/#port-blocking
BAD_PORTS = frozenset(
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    }
)  # fmt: skip
_URL = re.compile(r"(?P<scheme>[^:/?#]+)://(?P<authority>[^/?#\\]*)(?P<rest>[/?][^#\\]*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]+)(?::(?P<port>[^:]*))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Target(Struct, frozen=True, kw_only=True):
    """Where a URL leads. ``host`` is a name, or ``address`` in its usual spelling; ``path`` includes the query."""

    scheme: str
    host: str
    address: Address | None
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def refused(reason: str) -> InvalidWebhookUrl:
    """Return the error that says why a URL is not taken."""
    return InvalidWebhookUrl(f"The webhook's `url` {reason}.", errors=[FieldError("/url", reason)])


def parse(url: str) -> Target:
    """Read a URL; raises :class:`InvalidWebhookUrl`."""
    if len(url) > LONGEST:
        raise refused(f"is longer than {LONGEST} characters")
    if any(ord(c) <= 0x20 or 0x7F <= ord(c) <= 0xA0 for c in url):
        raise refused("contains spaces or control characters")
    if "\\" in url:
        raise refused("contains a backslash")
    if "#" in url:
        raise refused("has a fragment (`#…`); leave it out")
    whole = _URL.fullmatch(url)
    if whole is None or (scheme := whole["scheme"].lower()) not in DEFAULT_PORTS:
        raise refused("must begin with https:// or http://")
    if "@" in whole["authority"]:
        raise refused("holds credentials; use the webhook's `secret` instead")
    authority = _AUTHORITY.fullmatch(whole["authority"])
    if authority is None:
        raise refused("has no valid host")
    host, address = _host(authority["host"])
    rest = whole["rest"] or "/"
    path = quote(rest if rest.startswith("/") else f"/{rest}", safe="%/?:@!$&'()*+,;=~[]")
    return Target(scheme=scheme, host=host, address=address, port=_port(authority["port"], scheme), path=path)


def _port(text: str | None, scheme: str) -> int:
    if not text:
        return DEFAULT_PORTS[scheme]
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise refused("has no valid port: use 1 to 65535")
    if int(text) in BAD_PORTS:
        raise refused(f"uses port {int(text)}, which belongs to another protocol")
    return int(text)


def _host(text: str) -> tuple[str, Address | None]:
    if text.startswith("["):
        try:
            address = IPv6Address(text[1:-1])
        except ValueError:
            raise refused("has no valid IPv6 address in its brackets") from None
        if address.scope_id is not None:
            raise refused("has an IPv6 address with a zone")
        return str(address), address
    name = _ascii(text).removesuffix(".")
    labels = name.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        # As browsers and the resolver read it: 2130706433, 0x7f.1 and 017700000001 are all 127.0.0.1.
        try:
            ipv4 = IPv4Address(socket.inet_aton(name))
        except OSError:
            raise refused("has no valid IPv4 address") from None
        return str(ipv4), ipv4
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise refused("has no valid host name")
    return name, None


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise refused("has no valid international host name") from None
