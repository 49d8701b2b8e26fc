"""The way to TLS in each protocol, gone with real servers that others wrote."""

from __future__ import annotations

import pytest
from real_servers import PROGRAMS, Program, running
from tls_lab import examine, family, make, store

from exatrust_udf.handshake import Limits

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
STRANGER = make("stranger", ca=True)
# A server that has just begun to listen may still be busy with itself.
PATIENT = Limits(resolve=2, connect=2, handshake=5, in_flight=4)

each_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: f"{p.name}-{p.protocol}")


@each_program
def test_a_real_server_is_verified_through_its_own_upgrade(program: Program) -> None:
    options = f"protocol={program.protocol}"
    elsewhere = f"{options} name=elsewhere.example sni=elsewhere.example"
    with running(program, [LEAF, MIDDLE]) as port:
        good, bad = examine(
            port, store(ROOT), options=options, others=[store(STRANGER)], limits=PATIENT
        )
        (other,) = examine(port, store(ROOT), options=elsewhere, limits=PATIENT)
        (plain,) = examine(port, store(ROOT), limits=PATIENT)
    assert (good.trusted, good.findings) == (True, ())
    assert good.case.evidence.received == (LEAF.der, MIDDLE.der)
    assert [finding.id for finding in bad.findings] == ["CA_NOT_IN_TRUSTSTORE"]
    assert [finding.id for finding in other.findings] == ["HOST_MISMATCH"]
    assert plain.findings[0].id in ("CLOSED", "NOT_TLS")


@each_program
def test_a_real_server_that_forgets_its_intermediate_is_told_so(program: Program) -> None:
    with running(program, [LEAF]) as port:
        (found,) = examine(
            port, store(ROOT), options=f"protocol={program.protocol}", limits=PATIENT
        )
    assert (found.trusted, found.case.evidence.received) == (False, (LEAF.der,))
    assert [finding.id for finding in found.findings] == ["MISSING_INTERMEDIATE"]


@each_program
def test_a_real_server_without_tls_refuses_the_upgrade_in_its_own_words(program: Program) -> None:
    with running(program, [LEAF, MIDDLE], tls=False) as port:
        (found,) = examine(
            port, store(ROOT), options=f"protocol={program.protocol}", limits=PATIENT
        )
    assert not found.trusted
    (finding,) = found.findings
    assert finding.id == "UPGRADE_REFUSED"
    assert program.refusal in finding.cause
