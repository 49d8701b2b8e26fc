"""The option lines of a Java script, as Exasol's second parser of them reads them. Pure.

%scriptclass, %jar, %import and %jvmoption, each up to its semicolon (script-languages:
exaudfclient/base/javacontainer/script_options). %env is the database's, and gone before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_OPTION = re.compile(r"^[ \t\f\v]*%(\w+)[ \t\f\v]+([^;\n]*);[ \t\f\v]*", re.MULTILINE)
_UNFINISHED = re.compile(r"^[ \t\f\v]*%(\w+)\b", re.MULTILINE)
_KNOWN = ("scriptclass", "jar", "import", "jvmoption")
_ESCAPE = re.compile(r"\\([ tfv\\])")
_ESCAPED = {" ": " ", "t": "\t", "f": "\f", "v": "\v", "\\": "\\"}
# What a JVM takes from a program that embeds it; the launcher's own options are not among it.
_JVM_OPTION = re.compile(
    r"-D.*|-X.*|-verbose.*|-(?:ea|da|esa|dsa|enableassertions|disableassertions)\b.*"
    r"|-(?:javaagent|agentlib|agentpath):.*|--[a-z-]+=.*|--(?:enable-preview)"
)
_DEPTH = 20


class BadOption(Exception):
    """The text of the client's error."""


@dataclass(frozen=True)
class Options:
    """`code` is what is left to compile; `jvm` are arguments; `jars` paths."""

    code: str
    script_class: str | None
    jars: tuple[str, ...]
    jvm: tuple[str, ...]


def read_options(text: str, imported: Callable[[str], str]) -> Options:
    """Take the options out of a script. `imported` gives another script's text by its name.

    Raises BadOption.
    """
    classes = [value for key, value in _found(text) if key == "scriptclass"]
    if len(classes) > 1:
        raise BadOption(
            f"F-UDF-CL-SL-JAVA-1628 found {len(classes)} instances for script option key "
            "'scriptclass' but expected at most one.\n"
        )
    code = _with_imports(text, imported, set(), 0)
    found = _found(code)
    jars = [jar for key, value in found if key == "jar" for jar in value.split(":")]
    jvm = [word for key, value in found if key == "jvmoption" for word in _words(value)]
    for option in jvm:
        if not _JVM_OPTION.fullmatch(option):
            raise BadOption("F-UDF-CL-SL-JAVA-1028: Cannot start the JVM: unknown error (-1)")
    return Options(
        _blanked(code), classes[0] if classes else None, tuple(dict.fromkeys(jars)), tuple(jvm)
    )


def _found(text: str) -> list[tuple[str, str]]:
    options = [(match[1], match[2].strip()) for match in _OPTION.finditer(text)]
    for key, _ in options:
        if key not in _KNOWN:
            raise BadOption(
                f"F-UDF-CL-SL-JAVA-1627: F-UDF-CL-SL-JAVA-1622 Unexpected option: {key}"
            )
    rest = _UNFINISHED.search(_blanked(text))
    if rest is not None and rest[1] in _KNOWN:
        line = text[: rest.start()].count("\n") + 1
        raise BadOption(f"F-UDF-CL-SL-JAVA-1621: Error parsing script options at line {line}")
    return options


def _blanked(text: str) -> str:
    return _OPTION.sub("", text)


def _with_imports(text: str, imported: Callable[[str], str], seen: set[str], depth: int) -> str:
    """The text of other scripts stands where they are imported, each once, without its class."""
    if depth > _DEPTH:
        raise BadOption("F-UDF-CL-SL-JAVA-1626: imports of scripts are nested too deeply")

    def replace(match: re.Match[str]) -> str:
        if match[1] != "import":
            return match[0] if depth == 0 or match[1] != "scriptclass" else ""
        name = match[2].strip()
        other = imported(name)
        if other in seen:
            return ""
        seen.add(other)
        return _with_imports(other, imported, seen, depth + 1)

    return _OPTION.sub(replace, text)


def _words(value: str) -> list[str]:
    """Divided by white space, which `\\ ` and the like stand for inside a word."""
    words = re.findall(r"(?:\\.|[^ \t\f\v\\])+", value)
    return [_ESCAPE.sub(lambda match: _ESCAPED[match[1]], word) for word in words]
