"""What a server sends is shown, and nothing of it is trusted without a fingerprint."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import trustme

from exatrust.errors import BundleRejected, EndpointUnreachable, UsageError
from exatrust.served import served_cas
from exatrust_udf.certificate import Certificate, parse

ROOT = trustme.CA(organization_name="Root")
MIDDLE = ROOT.create_child_ca()


def certificate(blob: trustme.Blob) -> Certificate:
    return parse(ssl.PEM_cert_to_DER_cert(blob.bytes().decode()))


@contextmanager
def serving(*chain: trustme.Blob, key: trustme.LeafCert) -> Iterator[str]:
    """host:port of a server that sends this chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(
        b"".join(b.bytes() for b in (key.private_key_pem, *chain))
    ).tempfile() as path:
        context.load_cert_chain(path)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=_answer, args=(listener, context), daemon=True).start()
        yield f"localhost:{listener.getsockname()[1]}"


def _answer(listener: socket.socket, context: ssl.SSLContext) -> None:
    try:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            context.wrap_socket(connection, server_side=True)
    except OSError:  # the client hangs up: it trusts nobody
        return


@pytest.fixture
def leaf() -> trustme.LeafCert:
    return MIDDLE.issue_cert("localhost")


def test_the_root_that_is_sent_is_the_one_to_be_confirmed(leaf: trustme.LeafCert) -> None:
    said: list[str] = []
    chain = (leaf.cert_chain_pems[0], MIDDLE.cert_pem, ROOT.cert_pem)
    with serving(*chain, key=leaf) as endpoint:
        (found,) = served_cas(endpoint, None, (), said.append)
    root = certificate(ROOT.cert_pem)
    assert (found.certificate, found.source) == (root, f"chain of {endpoint}")
    text = "\n".join(said)
    assert f"{endpoint} sends 3 certificates; that alone proves nothing" in text
    assert ("1. the server's own: " in text, "3. root: " in text) == (True, True)
    for blob in chain:
        assert f"SHA-256 {certificate(blob).sha256}" in text


def test_without_a_root_its_name_is_said_and_an_intermediate_needs_its_own_fingerprint(
    leaf: trustme.LeafCert,
) -> None:
    middle = certificate(MIDDLE.cert_pem)
    chain = (leaf.cert_chain_pems[0], MIDDLE.cert_pem)
    with serving(*chain, key=leaf) as endpoint, pytest.raises(BundleRejected) as refused:
        served_cas(endpoint, None, ("ab" * 32,), lambda text: None)
    assert refused.value.message == f"{endpoint} sends no root"
    assert repr(middle.issuer) in refused.value.action
    with serving(*chain, key=leaf) as endpoint:
        (found,) = served_cas(endpoint, None, (middle.sha256,), lambda text: None)
    assert found.certificate == middle


def test_a_server_with_a_certificate_that_is_no_ca_gives_nothing(leaf: trustme.LeafCert) -> None:
    digest = certificate(leaf.cert_chain_pems[0]).sha256
    with serving(leaf.cert_chain_pems[0], key=leaf) as endpoint, pytest.raises(BundleRejected):
        served_cas(endpoint, None, (digest,), lambda text: None)


def test_who_does_not_answer_or_is_no_endpoint_is_named(unused: Callable[[], int]) -> None:
    with pytest.raises(EndpointUnreachable, match="sent no certificate") as silent:
        served_cas(f"localhost:{unused()}", "timeout=5", (), lambda text: None)
    assert "exatrust probe localhost:" in silent.value.action
    with pytest.raises(UsageError, match="is no file, and as an endpoint"):
        served_cas("localhost:99999", None, (), lambda text: None)


@pytest.fixture
def unused() -> Callable[[], int]:
    """A port where nobody listens."""

    def find() -> int:
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            return int(listener.getsockname()[1])

    return find
