"""Opens the bucket that the settings name."""

from __future__ import annotations

from exatrust.bucket import Bucket
from exatrust.bucketfs import BucketFS
from exatrust.credentials import Secret, Sources
from exatrust.errors import SettingsError
from exatrust.mounted import MountedBucket
from exatrust.settings import BucketFSSettings


def open_bucket(settings: BucketFSSettings, sources: Sources) -> Bucket:
    """With a password or token from wherever there is one. Raises what Bucket does."""
    if settings.path is not None:
        return MountedBucket(settings.path)
    if settings.saas_url:
        return _saas(settings, sources.token("bucketfs", settings.password_file))
    password = sources.password("bucketfs", settings.user, settings.password_file)
    return BucketFS(settings, password)


def _saas(settings: BucketFSSettings, token: Secret) -> Bucket:
    try:
        from exatrust.saas import SaasBucket
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"bucketfs.saas_url needs the package of {error.name}, which is not installed",
            "pip install 'exatrust[saas]'",
        ) from error
    return SaasBucket(settings, token)
