"""Which addresses a webhook may lead to: the public ones, and what the operator allows."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# From IANA's special-purpose registries, written out: what Python's `is_global` says changes with its releases.
_SPECIAL_4 = tuple(
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        # Azure's host, which only its own virtual machines reach.
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_SPECIAL_6 = tuple(IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks; raises :class:`ValueError`, which says what is wrong with which."""
    return tuple(ip_network(text) for text in texts)


def permitted(address: Address, allowed: Sequence[Network]) -> bool:
    """Return whether a webhook may lead to an address."""
    inner = _embedded(address)
    if any(candidate in net for candidate in (address, inner) for net in allowed):
        return True
    if isinstance(inner, IPv4Address):
        return not any(inner in net for net in _SPECIAL_4)
    return inner in _GLOBAL_6 and not any(inner in net for net in _SPECIAL_6)


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that a translator or tunnel would take the packet to, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
