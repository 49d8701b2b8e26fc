"""Scripts in the containers' own languages: Java judged by Java, R's libcurl by R. Pure.

They read the truststore files of the release, whose digests they compare; no Python runs there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from exatrust.pkcs12_writer import PASSWORD
from exatrust.release import Release

# The sources of each script, those that others use first; below sql/scripts/<language>.
SOURCES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "java": {
        "check_endpoint": (
            "Truststore.java", "Moments.java", "Endpoint.java", "Handshake.java", "Causes.java",
            "CheckEndpoint.java",
        ),
        "list_certificates": ("Truststore.java", "Moments.java", "ListCertificates.java"),
    },
    "r": {"check_endpoint": ("check_endpoint.R",)},
}  # fmt: skip
COMMENTS: Mapping[str, str] = {"java": "//", "r": "#"}
_IMPORT = re.compile(r"^import [\w.]+;\n", re.MULTILINE)
_PACKAGE = re.compile(r"^package [\w.]+;\n", re.MULTILINE)
_ALIAS = re.compile(r'^    (?:"alias", |alias = )"(\w+)",$', re.MULTILINE)


@dataclass(frozen=True)
class NativeScript:
    """A script of one language: its stem, and the alias it is for."""

    language: str
    stem: str
    alias: str

    @property
    def template(self) -> str:
        """Below sql/."""
        return f"scripts/{self.language}/{self.stem}.sql"

    @property
    def name(self) -> str:
        """Always with the alias: the names without are those of the first Python alias."""
        return f"{self.stem}_{self.alias}".upper()


def native_scripts(aliases: Mapping[str, str]) -> tuple[NativeScript, ...]:
    """Those of each alias, given with its language."""
    return tuple(
        NativeScript(language, stem, alias)
        for alias, language in aliases.items()
        for stem in SOURCES[language]
    )


def body(
    script: NativeScript, release: Release, directory: str, sql: Callable[[str], str]
) -> Mapping[str, str]:
    """What the script's template takes: `pin` and `body`. `sql` gives the text of a file.

    `directory` is where UDFs see the release.
    """
    texts = [
        sql(f"scripts/{script.language}/{name}") for name in SOURCES[script.language][script.stem]
    ]
    pin = _pin(script, release, directory)
    if script.language == "java":
        return {"body": _java_unit(texts, pin).rstrip()}
    items = ",\n".join(f"    {key} = {json.dumps(value)}" for key, value in pin.items())
    return {"pin": f"list(\n{items}\n)", "body": "\n".join(texts).rstrip()}


def pinned_alias(text: str) -> str | None:
    """The language alias that a Java or R script of ours is for."""
    found = _ALIAS.search(text)
    return found[1] if found else None


def _pin(script: NativeScript, release: Release, directory: str) -> Mapping[str, str]:
    common = {"alias": script.alias, "release": release.id, "directory": directory}
    if script.language == "java":
        return {
            **common,
            "truststore": release.java.name,
            "truststore_sha256": release.java.sha256,
            "truststore_password": PASSWORD,
        }
    return {**common, "bundle": release.bundle.name, "bundle_sha256": release.bundle.sha256}


def _java_unit(sources: Sequence[str], pin: Mapping[str, str]) -> str:
    """One compilation unit: all imports first, as Java wants them; the client gives the package."""
    text = "".join(_PACKAGE.sub("", source) for source in sources)
    imports = sorted({*_IMPORT.findall(text), "import java.util.Map;\n"})
    return "".join(imports) + _java_pin(pin) + re.sub(r"\n{3,}", "\n\n", _IMPORT.sub("", text))


def _java_pin(pin: Mapping[str, str]) -> str:
    items = ",\n".join(f"    {json.dumps(key)}, {json.dumps(value)}" for key, value in pin.items())
    return f"""
final class Pinned {{
    static final Map<String, String> PIN = Map.of(
{items});

    private Pinned() {{}}
}}
"""


def kept(texts: Iterable[tuple[str, str]], chosen: Iterable[str]) -> Mapping[str, str]:
    """Scripts, by name, of aliases not among the chosen ones; `texts` are names and texts."""
    aliases = {name: pinned_alias(text) for name, text in texts}
    return {name: alias for name, alias in aliases.items() if alias and alias not in set(chosen)}
