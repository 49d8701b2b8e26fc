"""The embedded stand-in for an Exasol cluster: database, BucketFS, language containers."""
