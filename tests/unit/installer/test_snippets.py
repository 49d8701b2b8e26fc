"""The lines that `exatrust snippet` prints."""

from __future__ import annotations

import re

import pytest

from exatrust.snippets import LANGUAGES, Paths, paths, snippet
from exatrust_udf.clients import VARIABLES

FOLDER = "/buckets/bfsdefault/default/exatrust/releases/0.1.0-abc"
PEM, P12 = f"{FOLDER}/ca-bundle-0123456789ab.pem", f"{FOLDER}/ca-bundle-ba9876543210.p12"
FILES = "\n".join(
    f"{'0' * 64} {path}"
    for path in (P12, f"{FOLDER}/ca-additions-0123456789ab.pem", PEM, f"{FOLDER}/manifest.json")
)


def test_the_paths_are_those_of_the_recorded_files() -> None:
    assert paths(FILES) == Paths(PEM, P12)


@pytest.mark.parametrize("files", ["", FILES.replace(".p12", ".jks"), f"{FILES}\n{FILES}"])
def test_a_record_without_exactly_one_bundle_is_refused(files: str) -> None:
    with pytest.raises(ValueError, match="where one is expected"):
        paths(files)


def test_python_gets_every_variable_that_a_client_reads() -> None:
    lines = snippet("python", paths(FILES))
    assert lines == (*(f"%env {name}={PEM};" for name in VARIABLES), "%env SSL_CERT_DIR=/dev/null;")


def test_r_gets_the_variable_that_r_reads_and_code_that_tells_its_packages() -> None:
    first, *code = snippet("r", paths(FILES))
    assert first == f"%env CURL_CA_BUNDLE={PEM};"
    assert [line for line in code if "CURL_CA_BUNDLE" not in line] == [code[1]]
    assert not [line for line in code if PEM in line]  # so that repin has one line to change


def test_java_gets_the_truststore_with_its_type_and_password() -> None:
    assert snippet("java", paths(FILES)) == (
        f"%jvmoption -Djavax.net.ssl.trustStore={P12};",
        "%jvmoption -Djavax.net.ssl.trustStoreType=PKCS12;",
        "%jvmoption -Djavax.net.ssl.trustStorePassword=changeit;",
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_ends_with_the_semicolon_that_the_database_insists_on(language: str) -> None:
    options = [line for line in snippet(language, paths(FILES)) if line.startswith("%")]
    assert options
    for line in options:
        assert re.fullmatch(r"%(?:env|jvmoption) [^\s;]+=[^\s;]+;", line)
