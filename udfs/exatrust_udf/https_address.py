"""What an IP address leads to: the world, the company, or this machine and its surroundings.

Pure. The ranges are those of the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890),
written down here because `ipaddress` answers differently from one Python to the next.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

PUBLIC = "PUBLIC"
PRIVATE = "PRIVATE"
LOCAL = "LOCAL"
NEVER = "NEVER"

_IPv4 = ipaddress.IPv4Address
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Reach(NamedTuple):
    """`scope` is PUBLIC, PRIVATE (a company's own), LOCAL (this machine, its link, its cloud's
    metadata) or NEVER (nothing serves there); `words` says which range it is."""

    scope: str
    words: str


_PUBLIC = Reach(PUBLIC, "a public address")
_METADATA = Reach(LOCAL, "an address of cloud metadata")
_UNSPECIFIED = Reach(NEVER, "the unspecified address")
_RESERVED = Reach(NEVER, "a reserved address")
_TUNNEL = Reach(NEVER, "a tunnel's address")
_PRIVATE = Reach(PRIVATE, "a private address")
_LOOPBACK = Reach(LOCAL, "a loopback address")
_LINK_LOCAL = Reach(LOCAL, "a link-local address")
_MULTICAST = Reach(NEVER, "a multicast address")

# Where clouds tell machines their secrets; some of these lie in ranges that look harmless.
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16",
                 "192.0.0.192", "fd00:ec2::23", "fd00:ec2::254", "fd00:42::42", "fd20:ce::254")
)  # fmt: skip

_RANGES_4 = tuple(
    (ipaddress.IPv4Network(network), reach)
    for network, reach in (
        ("0.0.0.0/8", _UNSPECIFIED),
        ("10.0.0.0/8", _PRIVATE),
        ("100.64.0.0/10", _PRIVATE),
        ("127.0.0.0/8", _LOOPBACK),
        ("169.254.0.0/16", _LINK_LOCAL),
        ("172.16.0.0/12", _PRIVATE),
        ("192.0.0.0/24", _RESERVED),
        ("192.0.2.0/24", _RESERVED),
        ("192.88.99.0/24", _TUNNEL),
        ("192.168.0.0/16", _PRIVATE),
        ("198.18.0.0/15", _RESERVED),
        ("198.51.100.0/24", _RESERVED),
        ("203.0.113.0/24", _RESERVED),
        ("224.0.0.0/4", _MULTICAST),
        ("240.0.0.0/4", _RESERVED),
    )
)
_RANGES_6 = tuple(
    (ipaddress.IPv6Network(network), reach)
    for network, reach in (
        ("::/128", _UNSPECIFIED),
        ("::1/128", _LOOPBACK),
        ("2001::/23", _TUNNEL),
        ("2001:db8::/32", _RESERVED),
        ("2002::/16", _TUNNEL),
        ("3fff::/20", _RESERVED),
        ("2000::/3", _PUBLIC),
        ("fc00::/7", _PRIVATE),
        ("fe80::/10", _LINK_LOCAL),
        ("ff00::/8", _MULTICAST),
    )
)
# What stands for an IPv4 address: IPv4-mapped (RFC 4291 2.5.5.2) and NAT64 (RFC 6052 2.1).
_EMBEDDING = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))


def reach(text: str) -> Reach:
    """What the address leads to. An IPv6 zone is ignored. Raises ValueError for no address."""
    address: _Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = _embedded(address)
    if address in _METADATA_ADDRESSES:
        return _METADATA
    if isinstance(address, _IPv4):
        return next((found for net, found in _RANGES_4 if address in net), _PUBLIC)
    return next((found for net, found in _RANGES_6 if address in net), _RESERVED)


def _embedded(address: ipaddress.IPv6Address) -> _Address:
    if any(address in network for network in _EMBEDDING):
        return _IPv4(int(address) & 0xFFFFFFFF)
    return address
