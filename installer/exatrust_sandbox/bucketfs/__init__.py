"""A stand-in for Exasol's BucketFS: HTTP(S) service, replication to nodes, archives, faults."""

from exatrust_sandbox.bucketfs.faults import Faults
from exatrust_sandbox.bucketfs.model import BucketSpec, Limits
from exatrust_sandbox.bucketfs.service import BucketFS

__all__ = ["BucketFS", "BucketSpec", "Faults", "Limits"]
