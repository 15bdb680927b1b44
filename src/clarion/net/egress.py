"""The egress rule: which addresses a URL given by a customer may lead to.

The address that was checked is the one connected to; nothing looks the name up a second time, so that
a name which changes its answer (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from clarion.errors import ConnectFailed, EgressRefused, SettingsError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL: tuple[Network, ...] = (
    # Reserved by IANA, yet `is_global` of some Python 3.11 to 3.13 releases says otherwise.
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("240.0.0.0/4"),
    IPv6Network("2001:20::/28"),
    IPv6Network("3fff::/20"),
)


# fmt: off
_NOT_HTTP = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512,
    513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719,
    1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
})
# fmt: on
"""Ports where a request could be taken for words of another protocol: https://fetch.spec.whatwg.org/#bad-port"""


class EgressRule:
    """Globally routable unicast addresses, and the networks allowed on top."""

    def __init__(self, allow: Sequence[Network] = ()) -> None:
        self._allow = tuple(allow)

    def permits(self, address: Address) -> bool:
        """Whether a guarded request may connect to the address."""
        if any(address in network for network in self._allow):
            return True
        inner = tuple(_embedded(address))
        return all(map(self.permits, inner)) if inner else _public(address)

    async def resolve(self, host: str, port: int, guarded: bool) -> list[Address]:
        """The addresses of `host`, those refused left out. Raises EgressRefused or ConnectFailed."""
        if guarded and port in _NOT_HTTP:
            raise EgressRefused(f"port {port} of {host} is another protocol's: use 443", unprocessed=True)
        found = await _look_up(host, port)
        kept = [address for address in found if self.permits(address)] if guarded else found
        if not kept:
            raise EgressRefused(
                f"{host} leads to no public address; if that is meant, list it in CLARION_EGRESS_ALLOW",
                unprocessed=True,
            )
        return kept


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks from a list separated by commas or spaces, as in `10.1.0.0/16, fd00::/8`."""
    return tuple(_network(item) for item in text.replace(",", " ").split())


def _network(item: str) -> Network:
    try:
        return ip_network(item)
    except ValueError as error:
        raise SettingsError(
            f"CLARION_EGRESS_ALLOW: {item!r} is no network like 10.1.0.0/16: {error}"
        ) from error


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that packets to this IPv6 address end up at."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo


def _public(address: Address) -> bool:
    if address.is_multicast or any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global


async def _look_up(host: str, port: int) -> list[Address]:
    """All addresses of a name in the system's order, each once; a literal stands for itself."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(f"{host} can't be looked up: {error}", unprocessed=True) from error
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
