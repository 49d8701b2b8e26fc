"""Which addresses may be connected to, and what ALLOWED_HOST makes of it."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_udf import https_wire
from exatrust_udf.https_address import LOCAL, NEVER, PRIVATE, PUBLIC, reach
from exatrust_udf.https_allowed import SCOPES, AllowList, BadRule, Rule, admitted
from exatrust_udf.https_url import Url
from exatrust_udf.https_wire import AddressRefused, Network, NoConnection

BY_SCOPE = {
    PUBLIC: ("8.8.8.8", "192.1.0.1", "172.32.0.1", "2606:4700::1", "64:ff9b::808:808",
             "::ffff:8.8.8.8", "100.128.0.1", "2a00::1"),
    PRIVATE: ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12::1",
              "::ffff:10.0.0.1", "64:ff9b::a00:1"),
    LOCAL: ("127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
            "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "169.254.1.1",
            "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"),
    NEVER: ("0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "224.0.0.1", "240.0.0.1", "ff02::1",
            "192.0.2.1", "198.18.0.1", "203.0.113.1", "2002:7f00:1::", "2001::1", "::127.0.0.1",
            "::7f00:1", "64:ff9b:1::1", "100::1", "2001:db8::1", "fec0::1", "5f00::1", "3fff::1",
            "::ffff:0.0.0.0", "192.88.99.1"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "address"), [(scope, item) for scope, items in BY_SCOPE.items() for item in items]
)
def test_every_range_is_known(scope: str, address: str) -> None:
    assert reach(address).scope == scope


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(addresses)
def test_what_python_knows_to_be_special_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = (address.is_loopback, address.is_link_local, address.is_multicast,
               address.is_unspecified, address.is_private, address.is_reserved)  # fmt: skip
    embedded = str(address).startswith(("64:ff9b::", "::ffff:"))
    if any(special) and not embedded:
        assert reach(str(address)).scope != PUBLIC


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_one_is_judged_as_itself(
    address: ipaddress.IPv4Address,
) -> None:
    for prefix in ("::ffff:", "64:ff9b::"):
        inside = ipaddress.IPv6Address(prefix + str(address))
        assert reach(str(inside)) == reach(str(address))


def test_without_rows_any_host_may_be_asked_except_at_local_addresses() -> None:
    rules = AllowList.parse("").about(Url.parse("https://any.example:8443/"))
    assert admitted(rules, "8.8.8.8")
    assert admitted(rules, "10.1.2.3")
    assert not admitted(rules, "127.0.0.1")
    assert not admitted(rules, "169.254.169.254")


@pytest.mark.parametrize(
    ("row", "allowed", "refused"),
    [
        (("erp.example", 443, None), ["https://erp.example/", "https://ERP.example./"],
         ["https://erp.example:444/", "https://a.erp.example/", "https://xerp.example/"]),
        (("*.corp.example", None, None), ["https://a.corp.example:1/", "https://a.b.corp.example/"],
         ["https://corp.example/", "https://xcorp.example/", "https://corp.example.evil/"]),
        (("*", 443, "PUBLIC"), ["https://any.example/", "https://8.8.8.8/"],
         ["https://any.example:8443/"]),
        (("10.1.2.3", None, None), ["https://10.1.2.3/"], ["https://10.1.2.30/"]),
        (("FD12::0:1", None, None), ["https://[fd12::1]/"], ["https://[fd12::2]/"]),
        (("Bücher.example", 443, None), ["https://xn--bcher-kva.example/"], []),
    ],
)  # fmt: skip
def test_a_row_allows_what_it_says(
    row: tuple[str, int | None, str | None], allowed: list[str], refused: list[str]
) -> None:
    listed = AllowList((Rule.of(*row),))
    listed = AllowList.parse(listed.text())
    assert all(listed.about(Url.parse(text)) for text in allowed)
    assert not any(listed.about(Url.parse(text)) for text in refused)


def test_a_row_says_where_its_host_may_be() -> None:
    def admits(scope: str | None, address: str) -> bool:
        return Rule.of("a.example", 443, scope).admits(address)

    assert [admits("public", a) for a in ("8.8.8.8", "10.0.0.1", "::1")] == [True, False, False]
    assert [admits(None, a) for a in ("8.8.8.8", "10.0.0.1", "::1")] == [True, True, False]
    assert [admits("LOCAL", a) for a in ("8.8.8.8", "10.0.0.1", "::1")] == [True, True, True]
    assert not admits("LOCAL", "0.0.0.0")


def test_this_machines_own_addresses_are_local_wherever_they_lie() -> None:
    for scope, admitted_own in (("PUBLIC", False), ("PRIVATE", False), ("LOCAL", True)):
        rule = Rule.of("a.example", 443, scope)
        assert rule.admits("10.0.0.1", own=True) is admitted_own
        assert not rule.admits("198.18.0.1", own=True)
    assert https_wire.is_own((socket.AF_INET, ("127.0.0.1", 443)))
    assert not https_wire.is_own((socket.AF_INET, ("192.0.2.1", 443)))
    network = Network(
        resolve=lambda host, port: [(socket.AF_INET, ("10.0.0.1", port))], own=lambda address: True
    )
    with pytest.raises(AddressRefused, match=r"leads to 10\.0\.0\.1, an address of this machine"):
        https_wire.connect(ERP, [Rule("*")], VERIFYING, network.clock() + 5, network)


def test_of_several_rows_about_a_host_the_widest_counts() -> None:
    listed = AllowList((Rule.of("*.example", None, "PUBLIC"), Rule.of("a.example", 443, "LOCAL")))
    assert admitted(listed.about(Url.parse("https://a.example/")), "127.0.0.1")
    assert not admitted(listed.about(Url.parse("https://b.example/")), "127.0.0.1")
    assert not admitted(listed.about(Url.parse("https://a.example:444/")), "127.0.0.1")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((None, None, None), "HOST is None"),
        (("", None, None), "HOST"),
        (("https://a.example", None, None), "HOST"),
        (("a.example/x", None, None), "name alone"),
        (("a.example:443", None, None), "name alone"),
        (("a.example:8443", None, None), "name alone"),
        (("*.*.example", None, None), "HOST"),
        (("a.*.example", None, None), "HOST"),
        (("*.1.2.3.4", None, None), "no names below"),
        (("*.::1", None, None), "no names below"),
        (("2130706433", None, None), "HOST"),
        (("a b", None, None), "HOST"),
        (("user@a.example", None, None), "HOST"),
        (("a.example", 0, None), "PORT"),
        (("a.example", 70000, None), "PORT"),
        (("a.example", None, "ANYWHERE"), "ADDRESSES"),
        (("*", None, "LOCAL"), "name the one host"),
        (("*.example", 443, "local"), "name the one host"),
    ],
)
def test_a_row_that_means_nothing_or_too_much_is_refused(row: tuple[object, ...], why: str) -> None:
    with pytest.raises(BadRule, match=why):
        Rule.of(*row)


names = st.sampled_from(["a.example", "*.b.example", "*", "10.0.0.1", "fd00::1"])
rules = st.builds(
    Rule, names, st.none() | st.integers(1, 65535), st.sampled_from([PUBLIC, PRIVATE])
)


@given(st.lists(rules))
def test_the_text_of_a_list_gives_it_back_whatever_its_order(listed: list[Rule]) -> None:
    text = AllowList(tuple(listed)).text()
    assert text == AllowList(tuple(reversed(listed))).text()
    assert set(AllowList.parse(text).rules) == set(listed)


ERP = Url.parse("https://erp.example/")
VERIFYING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Refusing:
    """A socket that notes where it is sent, and gets nowhere."""

    tried: ClassVar[list[str]] = []

    def __init__(self, family: int, kind: int) -> None:
        self.family = family

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def connect(self, place: tuple[Any, ...]) -> None:
        Refusing.tried.append(place[0])
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    def close(self) -> None:
        pass


@given(st.lists(addresses, min_size=1, max_size=6), st.sampled_from(SCOPES))
def test_no_socket_is_sent_to_an_address_that_is_not_admitted(
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address], scope: str
) -> None:
    places = [str(address) for address in found]
    rule = Rule("erp.example", None, scope)
    network = Network(
        resolve=lambda host, port: [
            (socket.AF_INET6 if ":" in place else socket.AF_INET, (place, port)) for place in places
        ],
        own=lambda address: False,
    )
    Refusing.tried.clear()
    until = network.clock() + 5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(https_wire.socket, "socket", Refusing)
        with pytest.raises((NoConnection, AddressRefused)) as ended:
            https_wire.connect(ERP, [rule], VERIFYING, until, network)
    expected = [place for place in places if rule.admits(place)]
    assert Refusing.tried == expected
    assert isinstance(ended.value, NoConnection if expected else AddressRefused)
