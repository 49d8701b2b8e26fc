"""Uninstall deletes files that have the installer's form, and no others."""

from __future__ import annotations

import pytest

from exatrust.release_files import our_files

OURS = (
    "exatrust/releases/0.1.0-abc/exatrust_udf-0123456789ab.pyz",
    "exatrust/releases/0.1.0-abc/ca-bundle-0123456789ab.pem",
    "exatrust/releases/0.1.0-abc/ca-bundle-0123456789ab.p12",
    "exatrust/releases/0.1.0-abc/ca-additions-0123456789ab.pem",
    "exatrust/releases/0.1.0-abc/manifest.json",
    "exatrust/write-check-0123456789abcdef0123456789abcdef.txt",
)


def test_the_installers_files_are_found() -> None:
    assert our_files(OURS, "exatrust") == OURS


@pytest.mark.parametrize(
    "path",
    [
        "exatrust/notes.txt",
        "exatrust/releases/0.1.0-abc/mine.pem",
        "exatrust/releases/0.1.0-abc/deep/manifest.json",
        "other/releases/0.1.0-abc/manifest.json",
        "x/exatrust/releases/0.1.0-abc/manifest.json",
        "exatrust/releases/0.1.0-abc/manifest.json.bak",
        "exatrust_releases/0.1.0-abc/manifest.json",
    ],
)
def test_anything_else_is_left_alone(path: str) -> None:
    assert our_files([path], "exatrust") == ()


def test_a_prefix_is_text_and_no_pattern() -> None:
    assert our_files(OURS, "e.atrust") == ()
