"""DSNs as the drivers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust.dsn import parse_dsn
from exatrust.errors import SettingsError

PIN = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "hosts", "pin"),
    [
        ("db", (("db", 8563),), None),
        (f"db/{PIN.upper()}:9000", (("db", 9000),), PIN),
        ("10.0.0.9..11:1", (("10.0.0.9", 1), ("10.0.0.10", 1), ("10.0.0.11", 1)), None),
        (f"a,b/{PIN}:7", (("a", 7), ("b", 7)), PIN),
        ("n01..02.db,x:5", (("n01.db", 5), ("n02.db", 5), ("x", 5)), None),
        ("a:1,b:2", (("a", 1), ("b", 2)), None),
    ],
)
def test_hosts_ports_and_the_pin_are_read_as_pyexasol_reads_them(
    text: str, hosts: tuple[tuple[str, int], ...], pin: str | None
) -> None:
    dsn = parse_dsn(text)
    assert (dsn.hosts, dsn.fingerprint) == (hosts, pin)


@pytest.mark.parametrize("spelling", ["nocertcheck", "NoCertCheck", "NOCERTCHECK"])
def test_nocertcheck_is_refused_in_any_spelling(spelling: str) -> None:
    with pytest.raises(SettingsError, match="nocertcheck would accept any server"):
        parse_dsn(f"db/{spelling}:8563")


@pytest.mark.parametrize("text", ["", ",", "db:port", f"db:8563/{PIN}", "db/abc", "a/b/c", "a b"])
def test_what_is_no_dsn_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"database\.dsn"):
        parse_dsn(text)


def test_a_backward_range_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"4\.\.1 is empty"):
        parse_dsn("db4..1")


def test_two_pins_are_refused() -> None:
    with pytest.raises(SettingsError, match="different fingerprints"):
        parse_dsn(f"a/{PIN},b/{PIN[::-1]}")


@given(st.text(max_size=60))
def test_any_text_is_a_dsn_or_a_settings_error(text: str) -> None:
    try:
        hosts = parse_dsn(text).hosts
    except SettingsError:
        hosts = (("refused", 1),)
    assert all(host and port >= 0 for host, port in hosts)
