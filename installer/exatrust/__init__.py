"""The installer: puts one CA bundle where every UDF can read it, and proves that it is there."""

__version__ = "0.1.0"
