"""A stand-in for Exasol's BucketFS: HTTP(S) service, replication to nodes, archives, faults."""

from exatrust_sandbox.mock_bucketfs.faults import Faults
from exatrust_sandbox.mock_bucketfs.model import BucketSpec, Limits
from exatrust_sandbox.mock_bucketfs.service import BucketFS

__all__ = ["BucketFS", "BucketSpec", "Faults", "Limits"]
