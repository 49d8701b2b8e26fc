"""URLs that may be asked for, and the many ways to hide where one leads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_udf.https_url import BadUrl, Url, masked


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("https://erp.example", "erp.example", 443, "/"),
        ("HTTPS://ERP.Example.:8443/a?b=c#d", "erp.example", 8443, "/a?b=c"),
        ("https://erp.example?q=1", "erp.example", 443, "/?q=1"),
        ("https://10.1.2.3/", "10.1.2.3", 443, "/"),
        ("https://[2001:DB8:0::1]:444/x", "2001:db8::1", 444, "/x"),
        ("https://münchen.example/straße?q=ä", "xn--mnchen-3ya.example", 443, None),
        ("https://erp.example/%41?filter[a]=b@c", "erp.example", 443, "/%41?filter[a]=b@c"),
    ],
)
def test_a_good_url_is_read(text: str, host: str, port: int, target: str | None) -> None:
    url = Url.parse(text)
    assert (url.host, url.port) == (host, port)
    assert url.target == (target or "/stra%C3%9Fe?q=%C3%A4")
    assert Url.parse(str(url)) == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "missing"),
        ("", "missing"),
        (7, "missing"),
        ("erp.example", "does not begin"),
        ("//erp.example/", "does not begin"),
        ("http://erp.example/", "only https"),
        ("file:///etc/passwd", "only https"),
        ("gopher://erp.example/", "only https"),
        ("https:erp.example", "does not begin"),
        ("https:/erp.example", "does not begin"),
        ("https:\\\\erp.example", "does not begin"),
        ("https://", "1 to 253"),
        ("https:///path", "1 to 253"),
        ("https://user:secret@erp.example/", "use a CONNECTION"),
        ("https://erp.example@evil.example/", "use a CONNECTION"),
        ("https://erp.example:0/", "port"),
        ("https://erp.example:65536/", "port"),
        ("https://erp.example:/", "port"),
        ("https://erp.example:4x3/", "port"),
        ("https://erp.example:" + "0" * 5000 + "1/", "port"),
        ("https://erp.example/a b", "%XX"),
        ("https://erp.example/a\r\nHost: x", "%XX"),
        ("https://erp.example/a\tb", "%XX"),
        ("https://erp.example/\0", "%XX"),
        ("https://erp.example/%4", "%XX"),
        ("https://erp.example/\\evil.example", "%XX"),
        ("https://erp.example\\@evil.example/", "use a CONNECTION"),
        ("https://erp example/", "not a host name"),
        ("https://erp.example\n/", "not a host name"),
        ("https://erp..example/", "not a host name"),
        ("https://erp%2eexample/", "not a host name"),
        ("https://-erp.example/", "not a host name"),
        ("https://" + "a" * 64 + ".example/", "not a host name"),
        ("https://" + "a." * 130 + "example/", "1 to 253"),
        ("https://faß.example/", "xn--"),
        ("https://[::1/", "no host"),
        ("https://[::1]x/", "no host"),
        ("https://[fe80::1%25eth0]/", "zone"),
        ("https://[fe80::1%eth0]/", "zone"),
        ("https://[1.2.3.4]/", "no IPv6"),
        ("https://::1/", "1 to 253"),
        ("https://erp.example/" + "a" * 8000, "8000"),
        ("https://erp.example/\ud800", "surrogate"),
    ],
)
def test_a_bad_url_is_refused_with_the_reason(text: object, why: str) -> None:
    with pytest.raises(BadUrl, match=why) as refused:
        Url.parse(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "0x7F.0.0.1", "017700000001", "127.1", "127.0.1",
     "0177.0.0.1", "127.0.0.01", "00127.0.0.1", "127.0.0.0x1", "256.0.0.1", "1.2.3.4.5",
     "127.0.0.1.0x", "\uff11\uff12\uff17.\uff11", "127\u30021", "0", "0x"],
)  # fmt: skip
def test_an_address_in_another_dress_is_refused(host: str) -> None:
    with pytest.raises(BadUrl, match="no IPv4 address"):
        Url.parse(f"https://{host}/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1.", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021"]
)
def test_an_address_in_digits_that_mean_the_same_everywhere_is_that_address(host: str) -> None:
    assert Url.parse(f"https://{host}/").host == "127.0.0.1"


@given(st.text(max_size=60))
def test_whatever_comes_is_read_or_refused_and_never_smuggles(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://erp.example/{text}"):
        try:
            url = Url.parse(candidate)
        except BadUrl:
            continue
        line = f"{url.target} {url.authority}"
        assert line.isascii()
        assert line.isprintable()
        assert " " not in url.target
        assert Url.parse(str(url)) == url


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("/b", "https://erp.example:444/b"),
        ("c?d", "https://erp.example:444/a/c?d"),
        ("//other.example/x", "https://other.example/x"),
        ("https://other.example:8443/x", "https://other.example:8443/x"),
        ("?q", "https://erp.example:444/a/b?q"),
    ],
)
def test_a_redirect_is_read_relative_to_where_it_came_from(location: str, where: str) -> None:
    assert str(Url.parse("https://erp.example:444/a/b").redirected(location)) == where


@pytest.mark.parametrize(
    "location",
    ["http://erp.example/", "http:/x", "ftp://x/", "javascript:alert(1)", "//u:p@x/", "//[::1",
     "https://2130706433/", "/a\r\nSet-Cookie: x", "\x00", "https://x:99999/"],
)  # fmt: skip
def test_a_redirect_to_elsewhere_is_refused(location: str) -> None:
    with pytest.raises(BadUrl):
        Url.parse("https://erp.example/").redirected(location)


@given(st.text(max_size=80))
def test_a_redirect_leads_to_https_or_nowhere(location: str) -> None:
    try:
        url = Url.parse("https://erp.example/a").redirected(location)
    except BadUrl:
        return
    assert str(url).startswith("https://")


@pytest.mark.parametrize(
    ("given_url", "shown"),
    [
        (None, None),
        ("https://erp.example/?mail=a@b", "https://erp.example/?mail=a@b"),
        ("https://user:secret@erp.example/x", "***@erp.example/x"),
        ("https:user:secret@erp.example", "***@erp.example"),
        ("https:///user:secret@x\n", "***@x\n"),
        (5, "5"),
    ],
)
def test_a_row_does_not_repeat_what_may_be_a_password(given_url: object, shown: str | None) -> None:
    assert masked(given_url) == shown
