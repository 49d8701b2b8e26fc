"""What the images are made of: facts about each, and nothing but facts.

A recipe stands for a language container as Exasol ships it: a Python, packages, truststores at
the paths where the real one has them. "Older" sets hold roots that a later set has lost, so that
an update of a container takes trust away, as a real one may.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """An image before it is built.

    version:       version of the language wanted, such as "3.12"
    system:        PRETTY_NAME in /etc/os-release
    build:         what /build_info says the container was built as
    older_roots:   whether its sets still hold the retired roots
    certifi:       version its certifi claims; None for a container without certifi
    packages:      further packages, installed by pip when the image is first built
    java_store:    whether there is /etc/ssl/certs/java/cacerts
    conda_store:   whether there is a conda environment's own set, /opt/conda/ssl
    language:      python, java or r
    """

    version: str
    system: str
    build: str
    older_roots: bool
    certifi: str | None = None
    packages: tuple[str, ...] = ()
    java_store: bool = False
    conda_store: bool = False
    language: str = "python"


_JAMMY = "Ubuntu 22.04.5 LTS"
_NOBLE = "Ubuntu 24.04.3 LTS"

RECIPES = {
    "python-3.10": Recipe("3.10", _JAMMY, "standard-python-3.10 11.1.1", True, "2025.8.3"),
    "python-3.12": Recipe("3.12", _NOBLE, "standard-python-3.12 11.1.1", True, "2025.8.3"),
    "python-3.12-slim": Recipe("3.12", _NOBLE, "template-python-3.12 11.1.1", True),
    "python-3.12-2026.10": Recipe(
        "3.12", _NOBLE, "standard-python-3.12 11.3.0", False, "2026.10.18"
    ),
    "python-3.12-cryptography": Recipe(
        "3.12", _NOBLE, "standard-python-3.12 11.1.1", True, "2025.8.3", ("cryptography",)
    ),
    "python-3.10-cryptography": Recipe(
        "3.10", _JAMMY, "standard-python-3.10 11.1.1", True, "2025.8.3", ("cryptography",)
    ),
    "python-3.10-java": Recipe(
        "3.10", _JAMMY, "standard-all 11.1.1", True, "2025.8.3", java_store=True
    ),
    # The packages bring their own sets of roots: botocore, grpc, and pip a copy of certifi.
    "python-3.12-conda": Recipe(
        "3.12",
        _NOBLE,
        "template-python-3.12-conda 11.1.1",
        True,
        "2025.8.3",
        ("botocore", "grpcio", "pip"),
        conda_store=True,
    ),
    "python-3.13": Recipe("3.13", _NOBLE, "standard-python-3.13 12.0.0", False, "2026.10.18"),
    "java-17": Recipe(
        "17", _JAMMY, "standard-java-17 11.1.1", True, java_store=True, language="java"
    ),
    "r-4": Recipe("4", _JAMMY, "standard-r-4.4 11.1.1", True, language="r"),
}
