"""The exatrust.toml that a sandbox writes for the installer."""

from __future__ import annotations

from typing import Protocol

from exatrust_sandbox.layout import BUCKET, SERVICE, Layout

_TEXT = """\
# Written by the sandbox. Paths are relative to this file.

[database]
dsn = "{dsn}"            # with the SHA-256 fingerprint of its certificate
user = "sys"
password_file = "passwords/sys"
schema = "EXATRUST"

[bucketfs]
url = "{bucketfs_url}"
service = "{service}"
bucket = "{bucket}"
prefix = "exatrust"
user = "w"
password_file = "passwords/w"
ca_file = "pki/services-root.pem"
replication_timeout = 30

[bundle]
# Mozilla's roots and the sandbox's "public" CA. Elsewhere: roots = "certifi".
roots = "pki/public-roots.pem"

[scripts]
aliases = [{aliases}]
"""


class Described(Protocol):
    """The part of a sandbox that its settings speak of."""

    layout: Layout

    @property
    def dsn(self) -> str: ...

    @property
    def bucketfs_url(self) -> str: ...


def settings_text(sandbox: Described) -> str:
    """The text of exatrust.toml for this sandbox."""
    return _TEXT.format(
        dsn=sandbox.dsn,
        bucketfs_url=sandbox.bucketfs_url,
        service=SERVICE,
        bucket=BUCKET,
        aliases=", ".join(f'"{alias}"' for alias in sandbox.layout.images_by_alias()),
    )
