"""sslyze, an independent verifier with an OpenSSL of its own, reaches the same verdicts."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from tls_lab import Made, chain_context, examine, family, make, serving, store, tampered, tls_manner

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sslyze = pytest.importorskip("sslyze", reason="sslyze is not installed")

# sslyze loads truststores of its own, in which cryptography finds serial numbers it dislikes.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")

ROOT, MIDDLE = family()
OTHER_ROOT, OTHER_MIDDLE = family("Other")

# sslyze checks the chain and leaves the host name to another field, so no wrong names here.
CHAINS: dict[str, list[Made]] = {
    "good": [make("leaf", MIDDLE), MIDDLE],
    "expired": [make("leaf", MIDDLE, days=(-90, -30)), MIDDLE],
    "not yet valid": [make("leaf", MIDDLE, days=(30, 90)), MIDDLE],
    "incomplete": [make("leaf", MIDDLE)],
    "unknown CA": [make("leaf", OTHER_MIDDLE), OTHER_MIDDLE],
    "unknown root sent": [make("leaf", OTHER_MIDDLE), OTHER_MIDDLE, OTHER_ROOT],
    "self-signed": [make("self")],
    "bad signature": [tampered(make("leaf", MIDDLE)), MIDDLE],
    "out of order": [make("leaf", MIDDLE), ROOT, MIDDLE],
}


@pytest.mark.parametrize("case", CHAINS)
def test_sslyze_reaches_the_same_verdict(case: str, tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.pem"
    anchors.write_bytes(ROOT.pem)
    with serving(tls_manner(chain_context(CHAINS[case]))) as port:
        (examined,) = examine(port, store(ROOT))
        info = scan(port, anchors)
    results = [r for r in info.path_validation_results if r.trust_store.path == anchors]
    assert [r.was_validation_successful for r in results] == [examined.trusted]
    assert info.received_chain_has_valid_order is (case != "out of order")


def scan(port: int, anchors: Path) -> Any:
    extra = sslyze.ScanCommandsExtraArguments(
        certificate_info=sslyze.CertificateInfoExtraArgument(custom_ca_file=anchors)
    )
    request = sslyze.ServerScanRequest(
        server_location=sslyze.ServerNetworkLocation("localhost", port, ip_address="127.0.0.1"),
        scan_commands={sslyze.ScanCommand.CERTIFICATE_INFO},
        scan_commands_extra_arguments=extra,
    )
    scanner = sslyze.Scanner()
    scanner.queue_scans([request])
    (result,) = scanner.get_results()
    assert result.scan_result is not None, result.connectivity_error_trace
    deployments = result.scan_result.certificate_info.result.certificate_deployments
    return deployments[0]
