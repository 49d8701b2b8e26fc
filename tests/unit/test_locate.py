"""Where the truststores of a container are looked for."""

from __future__ import annotations

from exatrust_udf.locate import Surroundings, locate


def names(around: Surroundings, *existing: str) -> list[tuple[str, str, str]]:
    found = locate(around, lambda path: path in existing)
    return [(candidate.name, candidate.path, candidate.found_by) for candidate in found]


def test_what_was_asked_for_is_reported_even_if_missing() -> None:
    around = Surroundings(
        {"SSL_CERT_FILE": "/gone.pem", "SSL_CERT_DIR": "/a:/b"}, bundle="/r/b.pem", given=["/g"]
    )
    assert names(around) == [
        ("shared-bundle", "/r/b.pem", "the release"),
        ("given", "/g", "argument"),
        ("openssl-file", "/gone.pem", "SSL_CERT_FILE"),
        ("openssl-directory", "/a", "SSL_CERT_DIR"),
        ("openssl-directory", "/b", "SSL_CERT_DIR"),
    ]


def test_a_variable_replaces_openssls_default() -> None:
    around = Surroundings({}, openssl_file="/d.pem", openssl_directory="/d")
    assert [name for name, *_ in names(around, "/d.pem", "/d")] == [
        "openssl-file",
        "openssl-directory",
    ]
    replaced = Surroundings({"SSL_CERT_FILE": "/x"}, "/d.pem", "/d")
    assert [path for _, path, _ in names(replaced, "/d.pem", "/d")] == ["/x", "/d"]


def test_packages_are_found_along_the_search_path() -> None:
    around = Surroundings({}, search_path=["/dist", "", "/app.zip"])
    existing = ["/dist/certifi/cacert.pem", "/dist/pip/_vendor/certifi/cacert.pem"]
    grpc = "/dist/grpc/_cython/_credentials/roots.pem"
    assert [name for name, *_ in names(around, *existing, grpc)] == ["certifi", "grpc", "pip"]


def test_java_conda_and_the_system_are_looked_at() -> None:
    around = Surroundings({}, prefixes=["/opt/conda"], java_homes=["/jvm/17"])
    existing = [
        "/opt/conda/ssl/cacert.pem", "/jvm/17/lib/security/cacerts",
        "/etc/ssl/certs/java/cacerts", "/etc/ssl/certs/ca-certificates.crt",
    ]  # fmt: skip
    assert [name for name, *_ in names(around, *existing)] == ["system", "java", "java", "conda"]
