"""Releases: named by content, the same on every machine."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import pytest

from exatrust import resources
from exatrust.bundle import Anchor, Bundle, compose
from exatrust.distrust import Distrust
from exatrust.intake import read_certificates
from exatrust.release import build, zip_of

Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def bundle(pem: Make) -> Bundle:
    added = read_certificates(pem("Corp"), "x")[0]
    roots = read_certificates(pem("A") + pem("B"), "roots")
    return compose(roots, "certifi 1", [Anchor(added, "added", "corp.pem")], Distrust())


def test_the_archive_depends_on_names_and_contents_only() -> None:
    one = zip_of({"p/a.py": b"1", "p/b.py": b"2"})
    assert one == zip_of({"p/b.py": b"2", "p/a.py": b"1"})
    assert one != zip_of({"p/a.py": b"1", "p/b.py": b"3"})


def test_the_archive_is_stored_so_that_importing_inflates_nothing() -> None:
    entries = zipfile.ZipFile(io.BytesIO(zip_of({"p/a.py": b"1" * 1000}))).infolist()
    assert [(e.compress_type, e.date_time[0]) for e in entries] == [(zipfile.ZIP_STORED, 1980)]


def test_the_same_input_gives_the_same_release(bundle: Bundle) -> None:
    assert build("1.0", {"a.py": b""}, bundle, Distrust()) == build(
        "1.0", {"a.py": b""}, bundle, Distrust()
    )


def test_another_version_code_or_bundle_is_another_release(pem: Make, bundle: Bundle) -> None:
    smaller = compose(read_certificates(pem("A"), "x"), "certifi 1", [], Distrust())
    ids = {
        build("1.0", {"a.py": b""}, bundle, Distrust()).id,
        build("1.1", {"a.py": b""}, bundle, Distrust()).id,
        build("1.0", {"a.py": b"#"}, bundle, Distrust()).id,
        build("1.0", {"a.py": b""}, smaller, Distrust()).id,
    }
    assert len(ids) == 4


def test_names_carry_the_beginning_of_their_sha256_and_no_suffix_that_is_unpacked(
    bundle: Bundle,
) -> None:
    release = build("1.0", {"a.py": b""}, bundle, Distrust())
    for file in (release.package, release.bundle):
        assert hashlib.sha256(file.content).hexdigest()[:12] in file.name
    assert not any(file.name.endswith((".zip", ".tar", ".gz", ".tgz")) for file in release.files)


def test_the_manifest_says_why_each_certificate_is_in(bundle: Bundle) -> None:
    release = build("1.0", {"a.py": b""}, bundle, Distrust())
    manifest = json.loads(release.manifest.content)
    reasons = {item["subject"]: (item["origin"], item["source"])
               for item in manifest["certificates"]}  # fmt: skip
    assert reasons == {
        "CN=A": ("default", "certifi 1"),
        "CN=B": ("default", "certifi 1"),
        "CN=Corp": ("added", "corp.pem"),
    }
    files = {item["name"]: item["sha256"] for item in manifest["files"]}
    assert files[release.bundle.name] == release.bundle.sha256


def test_the_udf_package_travels_whole_and_without_caches() -> None:
    sources = resources.udf_sources()
    assert {"exatrust_udf/certificate.py", "exatrust_udf/scripts/__init__.py"} <= set(sources)
    assert not any("__pycache__" in name for name in sources)
