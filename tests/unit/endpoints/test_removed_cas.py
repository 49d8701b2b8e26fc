"""A CA that was removed on purpose is known below, too: servers seldom send their root."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tls_lab import HOST, NOW, Made, family, ids, make, store

from exatrust.bundle import Anchor, Removal, compose
from exatrust.distrust import Distrust, DistrustedRoot
from exatrust.release import build
from exatrust_udf import endpoint_reports
from exatrust_udf.certificate import parse
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import Background, Examined, Examiner
from exatrust_udf.gone import Gone

ROOT, MIDDLE = family("Bad")
OTHER, _ = family("Good")
LEAF = make("leaf", MIDDLE)
OWN = DistrustedRoot(parse(ROOT.der).sha256, None, None, "stolen key", None, None, None)


def manifest(distrust: Distrust, removed: tuple[Removal, ...] = ()) -> dict[str, Any]:
    anchors = [Anchor(parse(made.der), "added", "x.pem") for made in (ROOT, OTHER)]
    bundle = compose([], "none", anchors, distrust, removed)
    content = build("1.0", {}, bundle, distrust).manifest.content
    assert content == build("1.0", {}, bundle, distrust).manifest.content
    document: dict[str, Any] = json.loads(content)
    return document


def background(document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Background:
    content = json.dumps(document).encode()
    monkeypatch.setattr(endpoint_reports, "pinned_bytes", lambda pin, name: content)
    return endpoint_reports.background({})


def judged(known: Background, *sent: Made) -> Examined:
    evidence = Evidence(Endpoint.parse(HOST, 443), received=tuple(made.der for made in sent))
    (examined,) = Examiner([store(OTHER)], known).judge(evidence, NOW)
    return examined


@pytest.mark.parametrize("sent", [(LEAF, MIDDLE), (LEAF, MIDDLE, ROOT)], ids=["no root", "root"])
def test_a_distrusted_root_is_named_whether_it_is_sent_or_not(
    sent: tuple[Made, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    examined = judged(background(manifest(Distrust(own=(OWN,))), monkeypatch), *sent)
    assert examined.findings[0].id == "DISTRUSTED_ROOT"
    assert "it was removed: " in examined.findings[0].cause.lower()
    assert "stolen key" in examined.findings[0].cause
    assert "CA_NOT_IN_TRUSTSTORE" not in ids(examined)
    assert not any("install --ca" in finding.action for finding in examined.findings)


def test_a_leaf_below_it_is_not_blamed_on_an_intermediate(monkeypatch: pytest.MonkeyPatch) -> None:
    direct = make("direct", ROOT)
    known = background(manifest(Distrust(own=(OWN,))), monkeypatch)
    assert ids(judged(known, direct)) == {"DISTRUSTED_ROOT"}


def test_a_ca_that_somebody_removed_is_named_by_its_subject(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cert = parse(ROOT.der)
    known = background(manifest(Distrust(), (Removal(cert.sha256, cert.subject),)), monkeypatch)
    (finding,) = judged(known, LEAF, MIDDLE).findings
    assert finding.id == "DISTRUSTED_ROOT"
    assert "a CA of that name was removed: somebody removed it" in finding.cause


def test_another_key_under_the_same_name_is_another_ca(monkeypatch: pytest.MonkeyPatch) -> None:
    renewed = make(ROOT.cert.subject, ca=True)
    sent = make("new middle", renewed, ca=True)
    known = background(manifest(Distrust(own=(OWN,))), monkeypatch)
    assert ids(judged(known, make("leaf", sent), sent)) == {"CA_NOT_IN_TRUSTSTORE"}


def test_an_old_manifest_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    document = manifest(Distrust(own=(OWN,)))
    del document["identities"]
    del document["removed"]
    known = background(document, monkeypatch)
    assert known.removed == {OWN.sha256: "stolen key"}
    assert [item.subject for item in known.gone] == [parse(ROOT.der).subject]


def test_a_curated_root_is_known_by_its_subject() -> None:
    cert = parse(ROOT.der)
    curated = DistrustedRoot(cert.sha256, None, cert.subject, "a reason", None, None, False)
    expected = Gone(cert.subject, None, "a reason (unconfirmed)")
    assert Distrust((curated,)).gone == (expected,)
    found = manifest(Distrust((curated,)))["identities"]
    assert [item["subject"] for item in found] == [cert.subject]


def test_no_proxy_is_suspected_behind_a_removed_root() -> None:
    leaf = make("leaf", MIDDLE, san=("www.shop.de",))
    evidence = Evidence(
        Endpoint("www.shop.de", 443), "93.184.216.34", True, received=(leaf.der, MIDDLE.der)
    )
    known = Background(gone=(Gone(parse(ROOT.der).subject, None, "stolen key"),))
    (examined,) = Examiner([store(OTHER)], known).judge(evidence, NOW)
    assert ids(examined) == {"DISTRUSTED_ROOT"}
