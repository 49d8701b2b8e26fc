"""A mock of BucketFS: buckets over HTTP, replicated to the nodes of a sandbox."""
