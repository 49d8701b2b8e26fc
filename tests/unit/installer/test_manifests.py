"""What two releases differ in, CA by CA, and why; and releases that are not there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest

from exatrust.bundle import Anchor, Bundle, Removal, compose
from exatrust.distrust import Distrust, DistrustedRoot
from exatrust.errors import BucketFSFailed, UsageError
from exatrust.intake import read_certificates
from exatrust.manifests import Contents, contents, differences, find_release, read_contents
from exatrust.observe import Installed
from exatrust.release import Release, build
from exatrust.statements import files_text
from exatrust_udf.certificate import Certificate

Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def roots(pem: Make) -> tuple[Certificate, ...]:
    return read_certificates(b"".join(pem(name) for name in "ABCDE"), "roots")


def released(bundle: Bundle) -> Release:
    return build("1.0", {}, bundle, Distrust())


def said(bundle: Bundle) -> Contents:
    release = released(bundle)
    return contents(release.id, json.loads(release.manifest.content))


def activated(release: Release) -> Installed:
    files = files_text(release, f"/buckets/b/d/exatrust/releases/{release.id}")
    return Installed(release.id, ("PYTHON3",), files, dt.datetime(2026, 1, 1), "SYS", 1)


def test_every_change_of_the_set_is_said_with_its_reason(roots: tuple[Certificate, ...]) -> None:
    a, b, c, d, e = roots
    lost = DistrustedRoot(c.sha256, None, "CN=C", "its key is lost", None, None, None)
    old = compose([a, b, c], "set 1", [Anchor(e, "added", "e.pem")], Distrust())
    new = compose(
        [a, c, d], "set 2", [], Distrust(own=(lost,)), [Removal(a.sha256, a.subject)]
    )  # fmt: skip
    found = {
        (item.change, item.entry.subject): item.why for item in differences(said(old), said(new))
    }
    assert found == {
        ("removed", "CN=A"): "a human removed it",
        ("removed", "CN=B"): "not in set 2",
        ("removed", "CN=C"): "CN=C is distrusted: its key is lost",
        ("removed", "CN=E"): "no longer added",
        ("added", "CN=D"): "new in set 2",
    }
    back = {item.entry.subject: item.why for item in differences(said(new), said(old))}
    assert back == {
        "CN=A": "no longer removed",
        "CN=B": "new in set 1",
        "CN=C": "no longer left out",
        "CN=D": "not in set 1",
        "CN=E": "added from e.pem",
    }
    assert differences(said(old), said(old)) == ()


def test_a_release_is_found_by_its_name_or_hash_and_the_others_are_named(
    roots: tuple[Certificate, ...],
) -> None:
    history = [
        activated(released(compose(roots[:count], "set", [], Distrust()))) for count in (1, 2)
    ]
    for item in history:
        assert find_release(history, item.release) == item
        assert find_release(history, item.release.removeprefix("1.0-")) == item
    with pytest.raises(UsageError, match=r"no release '1\.0' was ever installed") as unknown:
        find_release(history, "1.0")
    assert all(item.release in unknown.value.action for item in history)


class Files:
    """A bucket with one file."""

    def __init__(self, content: bytes | None) -> None:
        self.content = content

    def read(self, path: str) -> bytes | None:
        return self.content


def test_a_manifest_that_is_gone_or_altered_is_not_believed(roots: tuple[Certificate, ...]) -> None:
    release = released(compose(roots, "set", [], Distrust()))
    content = release.manifest.content
    read = read_contents(Files(content), "r", activated(release))  # type: ignore[arg-type]
    assert set(read.bundle) == {item.sha256 for item in roots}
    for damaged in (None, content.replace(b"CN=A", b"CN=X")):
        with pytest.raises(
            BucketFSFailed, match=f"the manifest of release {release.id} is missing"
        ):
            read_contents(Files(damaged), "r", activated(release))  # type: ignore[arg-type]
