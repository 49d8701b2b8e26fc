"""docs/sql.md, generated from the SQL files: `python -m exatrust.reference`. Pure but for reading.

What a column means is said once, where it is declared.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

from exatrust import checks, native, resources
from exatrust_udf import https_arguments

_HEAD = """\
# Tables, views, scripts and checks

Generated from `sql/` with `make docs`. Names in double quotes are reserved words of Exasol: write
the quotes.

"""
_NATIVE = """\
Java and R containers get scripts in their own language, each for every alias that works; here with
the suffixes of the aliases `JAVA` and `R` (see [java-and-r.md](java-and-r.md)).
"""
_CHECKS = """\
## Checks

`exatrust check` runs them all. Each is a file of `sql/checks/` that runs in any SQL client after
`OPEN SCHEMA EXATRUST`, returns rows only when something is wrong, and always gives `CHECK_ID`,
`SEVERITY`, `OBJECT_NAME`, `FINDING` and `"ACTION"`. `ERROR` and `WARNING` make the command end with
status 1; `INFO` does not.
"""
_COLUMN = re.compile(r"""^ {4}"(\w+)"(.*?)(?: COMMENT IS '((?:[^']|'')*)')?,?$""", re.MULTILINE)
# Column names of ours that Exasol reserves (EXA_SQL_KEYWORDS).
_RESERVED = frozenset(
    ("ACTION", "CHAIN", "FORMAT", "KEY_TYPE", "OPTIONS", "PATH", "POSITION", "RELEASE", "SOURCE")
)


def document() -> str:
    """The whole file, ending in a newline."""
    return _HEAD + "\n".join((*_views(), *_tables(), *_scripts(), *_checks())) + "\n"


def _views() -> Iterator[str]:
    yield "## Views\n"
    for name in resources.view_names():
        text = resources.sql(f"views/{name}.sql")
        yield f"### {name.upper()}\n"
        yield from _columns(text.partition(") AS\n")[0])


def _tables() -> Iterator[str]:
    yield "## Tables\n"
    for part in resources.sql("schema.sql").split("CREATE TABLE ")[1:]:
        yield "### {}\n".format(part.split('"')[1])
        yield from _columns(part)


def _columns(text: str) -> Iterator[str]:
    yield "| column | meaning |\n|---|---|"
    for name, _, comment in _COLUMN.findall(text):
        meaning = comment.replace("''", "'")
        yield f"| {_quoted(name)} | {meaning} |"
    yield ""


def _scripts() -> Iterator[str]:
    yield "## Scripts\n"
    yield "| script | arguments | rows |\n|---|---|---|"
    for name in resources.script_names():
        yield _script(f"{name}.sql", name.upper())
    yield ""
    yield _NATIVE
    yield "| script | arguments | rows |\n|---|---|---|"
    for language, scripts in native.SOURCES.items():
        for name in scripts:
            yield _script(f"{language}/{name}.sql", f"{name}_{language}".upper())
    yield ""


def _script(file: str, name: str) -> str:
    head, _, rest = resources.sql(f"scripts/{file}").partition("EMITS (")
    inputs = re.findall(r'^    "(\w+)"', head, re.MULTILINE)
    rows = [_quoted(column) for column in re.findall(r'^    "(\w+)"', rest, re.MULTILINE)]
    given = _listed(inputs) if inputs else _varying(name.lower())
    return f"| `{name}` | {given} | {', '.join(rows)} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _varying(script: str) -> str:
    """The arguments of a script that takes whatever comes, `(...)`."""
    known = https_arguments.BY_SCRIPT.get(script)
    if known is None:
        return "`host`, `port`, optionally `options`"
    needed, others = known.names[: known.needed], known.names[known.needed :]
    return f"{_listed(needed)}, optionally {_listed(others)}"


def _checks() -> Iterator[str]:
    yield _CHECKS
    yield "| check | severity | it returns |\n|---|---|---|"
    for check in checks.catalogue():
        yield f"| `{check.id}` | {severities(check.sql)} | {check.title} |"


def severities(sql: str) -> str:
    """What a check can give as SEVERITY; "as found" where it passes another view's on."""
    expression = sql.partition(" AS CHECK_ID,")[2].partition(" AS SEVERITY")[0]
    found = [item for item in ("ERROR", "WARNING", "INFO") if f"'{item}'" in expression]
    return " or ".join(found) or "as found"


def _quoted(name: str) -> str:
    return f'`"{name}"`' if name in _RESERVED else f"`{name}`"


if __name__ == "__main__":
    sys.stdout.write(document())
