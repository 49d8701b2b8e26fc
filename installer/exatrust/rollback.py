"""Point all scripts to an earlier release, whose files are still in the bucket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exatrust import __version__, resources
from exatrust.bucket import Bucket
from exatrust.bundle import Anchor, Bundle, Removal
from exatrust.carry import intact
from exatrust.errors import BucketFSFailed, NotInstalled, UsageError
from exatrust.intake import read_certificates
from exatrust.manifests import contents, differences, find_release, read_contents
from exatrust.observe import Installed, history
from exatrust.proposal import (
    Ports,
    Proposal,
    Say,
    known_distrust,
    propose_release,
    releases_path,
    statements_for,
)
from exatrust.release import MANIFEST, Release, ReleaseFile, zip_of
from exatrust.settings import Settings


def propose_rollback(settings: Settings, ports: Ports, wanted: str | None, warn: Say) -> Proposal:
    """Plan to go back to a release, or to the one before the current. Nothing is changed.

    Raises UsageError for a release that was never activated, or cannot be used any more.
    """
    database, statements = ports.database, statements_for(settings)
    there = frozenset(ports.bucket.list())
    activations = history(database, statements)
    target = choose(activations, wanted)
    release, bundle = read_release(ports.bucket, target, releases_path(settings))
    going = _what_goes(ports.bucket, releases_path(settings), activations[0], release, warn)
    distrust = known_distrust(database, statements)
    for anchor in bundle.anchors:
        if root := distrust.of(anchor.certificate):
            warn(f"release {release.id} trusts a CA that is distrusted now: {root.subject}")
    proposal = propose_release(settings, ports, release, bundle, distrust, there, warn)
    return replace(proposal, going=going, reason=f"rolled back to release {release.id}")


def choose(activations: Sequence[Installed], wanted: str | None) -> Installed:
    """The last activation of the wanted release; of the one before the current for None."""
    if not activations:
        raise NotInstalled("nothing is installed", "run `exatrust install`")
    if wanted is not None:
        return find_release(activations, wanted)
    for item in activations:
        if item.release != activations[0].release:
            return item
    raise UsageError("there is no earlier release", f"the only one is {activations[0].release}")


def _what_goes(
    bucket: Bucket, releases: str, current: Installed, target: Release, warn: Say
) -> tuple[Removal, ...]:
    """The CAs that UDFs lose. An earlier bundle may lack what was added since, and trust what was
    removed since: both is said."""
    try:
        before = read_contents(bucket, releases, current)
    except BucketFSFailed as error:
        warn(f"{error.message}; what the rollback changes in the bundle cannot be said")
        return ()
    verb = {"added": "trusts again", "removed": "no longer trusts"}
    after = contents(target.id, json.loads(target.manifest.content))
    found = differences(before, after)
    for item in found:
        warn(f"the bundle {verb[item.change]} {item.entry.subject} (SHA-256 {item.entry.sha256})")
    lost = (item.entry for item in found if item.change == "removed")
    return tuple(Removal(entry.sha256, entry.subject) for entry in lost)


def read_release(bucket: Bucket, target: Installed, releases: str) -> tuple[Release, Bundle]:
    """A release as it was uploaded, every file compared with its recorded SHA-256."""
    names = [line.rpartition("/")[2] for line in target.files.splitlines()]
    files = {name: _file(bucket, target, releases, name) for name in names}
    manifest = json.loads(files[MANIFEST].content)
    release = Release(
        target.release,
        manifest["version"],
        _named(files, "exatrust_udf-", ".pyz"),
        _named(files, "ca-bundle-", ".pem"),
        _named(files, "ca-bundle-", ".p12"),
        files.get(_name(files, "ca-additions-", ".pem")),
        files[MANIFEST],
    )
    _refuse_other_code(release)
    return release, _bundle(manifest, release.bundle)


def _file(bucket: Bucket, target: Installed, releases: str, name: str) -> ReleaseFile:
    content = intact(bucket, target, f"{releases}/{target.release}", name)
    if content is None:
        raise UsageError(
            f"release {target.release} cannot be used: {name} is missing or altered in BucketFS",
            "choose another release, or run `exatrust install`",
        )
    return ReleaseFile.of(name, content)


def _name(files: dict[str, ReleaseFile], start: str, end: str) -> str:
    return next((name for name in files if name.startswith(start) and name.endswith(end)), "")


def _named(files: dict[str, ReleaseFile], start: str, end: str) -> ReleaseFile:
    return files[_name(files, start, end)]


def _refuse_other_code(release: Release) -> None:
    """The scripts' columns belong to the code of a release, and this program has its own only."""
    own = ReleaseFile.named_by_content("exatrust_udf", ".pyz", zip_of(resources.udf_files()))
    if release.package.sha256 != own.sha256:
        raise UsageError(
            f"release {release.id} has the UDF code of exatrust {release.version}, which is "
            f"another than this program's ({__version__})",
            f"run the rollback with that one: pip install exatrust=={release.version}",
        )


def _bundle(manifest: dict[str, Any], pem: ReleaseFile) -> Bundle:
    by_digest = {item.sha256: item for item in read_certificates(pem.content, pem.name)}
    anchors = tuple(
        Anchor(by_digest[entry["sha256"]], entry["origin"], entry["source"])
        for entry in manifest["certificates"]
    )
    removed = tuple(Removal(entry["sha256"], entry["subject"]) for entry in manifest["removed"])
    return Bundle(anchors, (), manifest["roots"], removed)
