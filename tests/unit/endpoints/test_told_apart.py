"""Findings say what is the matter with this truststore, file and path, not with another one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from tls_lab import chain_context, examine, family, make, serving, store, tls_manner

from exatrust_udf.examine import Background

ROOT, MIDDLE = family()
OTHER, _ = family("Other")
LEAF = make("leaf", MIDDLE)


def test_every_unreadable_list_is_named() -> None:
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        (examined,) = examine(port, store(ROOT), options="crl=/nix1 crl=/nix2")
    unreadable = [f.cause for f in examined.findings if f.id == "CRL_UNREADABLE"]
    assert [path for path in ("/nix1", "/nix2") for cause in unreadable if path in cause] == [
        "/nix1", "/nix2",
    ]  # fmt: skip


def test_a_removed_root_that_no_path_uses_is_no_error() -> None:
    gone = make("Gone Root", ca=True)
    background = Background(removed={gone.cert.fingerprint(hashes.SHA256()).hex(): "a\n\x1b[2J"})
    with serving(tls_manner(chain_context([LEAF, MIDDLE, gone]))) as port:
        found = examine(port, store(OTHER), others=[store(ROOT)], background=background)
    for examined in found:
        (finding,) = [f for f in examined.findings if f.id == "DISTRUSTED_ROOT"]
        assert (finding.severity, "no path uses it" in finding.cause) == ("INFO", True)
        assert finding.cause.isprintable()
    assert found[0].findings[0].id == "CA_NOT_IN_TRUSTSTORE"


@pytest.mark.parametrize(
    ("name", "action"),
    [("container", "shared bundle"), ("certifi", "shared bundle"), ("shared-bundle", "--ca FILE")],
)
def test_where_a_ca_is_added_depends_on_the_truststore(name: str, action: str) -> None:
    found = replace(store(OTHER), name=name)
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        (examined,) = examine(port, found)
    assert examined.findings[0].id == "CA_NOT_IN_TRUSTSTORE"
    assert action in examined.findings[0].action
    assert ("ssl_context" in examined.findings[0].action) is (action == "shared bundle")


def test_a_server_that_sends_its_whole_truststore_does_not_flood_the_findings() -> None:
    roots = [make(f"Root {number}", ca=True) for number in range(30)]
    with serving(tls_manner(chain_context([LEAF, MIDDLE, *roots]))) as port:
        (examined,) = examine(port, store(ROOT))
    sent = [f.cause for f in examined.findings if f.id == "EXTRA_ROOT_SENT"]
    assert len(sent) == 9
    assert "There are 22 more." in sent[-1] + sent[0]


def test_a_reason_from_a_table_cannot_write_on_the_terminal() -> None:
    digest = ROOT.cert.fingerprint(hashes.SHA256()).hex()
    background = Background(removed={digest: "broken\n\x1b[2J"})
    with serving(tls_manner(chain_context([LEAF, MIDDLE, ROOT]))) as port:
        found = examine(port, store(OTHER), others=[store(ROOT)], background=background)
    causes = [f.cause for e in found for f in e.findings if f.id == "DISTRUSTED_ROOT"]
    assert len(causes) == 2
    assert all(r"broken\n\x1b" in cause and cause.isprintable() for cause in causes)
